import { expect } from 'vitest'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import type { LocalSecrets } from '../../deploy/local/secrets.js'
import type { ServiceAddresses } from '../../deploy/local/services.js'
import { bindTo, makeProject, makeWorkload, type Workload } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { type Credentials, FULL } from '../support/system.js'

/** What was made, and still has to work after an upgrade. */
export type Made = { readonly workload: Workload; readonly projectId: string; readonly accessToken: string }

export type Steps = { make(): Promise<Made>; workWith(made: Made): Promise<void>; close(): void }

/** The four steps, and a revocation: against services of any release. */
export function fourSteps(addresses: ServiceAddresses, secrets: LocalSecrets): Steps {
  const opened: Calls[] = []
  const open = (address: string, token = ''): Calls => {
    const calls = callsTo(address, token === '' ? {} : bearer(token))
    opened.push(calls)
    return calls
  }
  const [exchange, check] = [open(addresses.exchange), open(addresses.check)]
  const login = ({ clientId, clientSecret }: Credentials) => exchange(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })
  const ask = (accessToken: string, projectId: string, action: string) =>
    check(Check.check, { accessToken, projectId, action, resource: { type: 'secrets', attributes: {} }, consistency: FULL, context: {}, sourceAddress: '' })
  return {
    async make() {
      const admin = newAdmin()
      await bootstrap(addresses, { credential: secrets.bootstrapCredential }, admin)
      const { accessToken: token, tokenId } = await login(admin)
      const session = { token, tokenId, registry: open(addresses.registry, token), exchange: open(addresses.exchange, token), check: open(addresses.check, token) }
      const projectId = await makeProject(session, 'shop')
      const workload = await makeWorkload(session, { name: 'billing' })
      await bindTo(session, workload.identityId, projectId, 'viewer')
      const { accessToken } = await login(workload)
      return { workload, projectId, accessToken }
    },
    async workWith({ workload, projectId, accessToken }) {
      expect(await ask(accessToken, projectId, 'read')).toMatchObject({ allowed: true, identityId: workload.identityId })
      const another = await login(workload)
      expect(await ask(another.accessToken, projectId, 'read')).toMatchObject({ allowed: true, identityId: workload.identityId })
      expect(await ask(another.accessToken, projectId, 'delete')).toMatchObject({ allowed: false })
      await exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value: another.accessToken } })
      await expect(ask(another.accessToken, projectId, 'read')).rejects.toMatchObject({ reason: 'ACCESS_TOKEN_REJECTED' })
    },
    close() {
      for (const calls of opened) calls.close()
    },
  }
}
