import { Writable } from 'node:stream'
import { inject } from 'vitest'
import { createLog } from '#libs/log.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthorizationCheckServiceService as Check, type CheckResponse, type Consistency } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { type Admin, bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import { type LocalSecrets, newSecrets } from '../../deploy/local/secrets.js'
import { type ServiceAddresses, startServices } from '../../deploy/local/services.js'
import { bearer, type Calls, callsTo } from './calls.js'
import { type ManualClock, manualClockFromNow } from './manual-clock.js'
import { type DatabaseUrls, freshDatabase } from './postgres.js'

export type Credentials = { readonly clientId: string; readonly clientSecret: string }

/** An identity that is logged in: what it calls, it calls with its token. */
export type Session = { readonly token: string; readonly tokenId: string; readonly registry: Calls; readonly exchange: Calls; readonly check: Calls }

export type CheckOptions = {
  readonly projectId?: string
  readonly attributes?: Readonly<Record<string, string>>
  /** Where nothing is said, what was changed before the question counts. */
  readonly consistency?: Consistency
  /** From where the token is used. */
  readonly from?: string
}

export const FULL: Consistency = { level: { $case: 'full', value: {} } }
export const BOUNDED: Consistency = { level: { $case: 'bounded', value: {} } }

export type System = {
  readonly addresses: ServiceAddresses
  readonly databases: DatabaseUrls
  readonly secrets: LocalSecrets
  readonly clock: ManualClock
  /** The first organization. */
  readonly admin: Admin
  /** Everything that the services logged so far. */
  logged(): string
  /** Another organization with an admin of its own. */
  newOrganization(): Promise<Admin>
  login(credentials: Credentials): Promise<LoginResponse>
  session(credentials: Credentials): Promise<Session>
  check(token: string, action: string, resource: string, options?: CheckOptions): Promise<CheckResponse>
  /** Calls without a token. */
  readonly anonymous: { readonly registry: Calls; readonly exchange: Calls; readonly check: Calls }
  /** Resolves when the change is reflected by every replica of every service, however it is asked. */
  everywhere<Answer extends { readonly revision: string }>(change: Answer | Promise<Answer>): Promise<Answer>
  close(): Promise<void>
}

/** The three services in this process on a database of their own, with one organization and a clock that the test moves. */
export async function startSystem(options: { databases?: DatabaseUrls; redisUrl?: string; environment?: Record<string, string> } = {}): Promise<System> {
  const database = options.databases ? undefined : await freshDatabase()
  const databases = options.databases ?? database
  if (!databases) throw new Error('no database')
  const secrets = newSecrets()
  const clock = manualClockFromNow()
  const lines: string[] = []
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString())
      done()
    },
  })
  const services = await startServices({
    ...databases,
    redisUrl: options.redisUrl ?? inject('redisUrl'),
    secrets,
    clock,
    log: (service) => createLog({ service, level: 'trace', destination }),
    environment: { REGISTRY_PORT: '0', EXCHANGE_PORT: '0', CHECK_PORT: '0', DRAIN_SECONDS: '1', OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8', ...options.environment },
  })
  const { addresses } = services
  const opened: Calls[] = []
  const open = (address: string, headers?: Record<string, string>): Calls => {
    const calls = callsTo(address, headers)
    opened.push(calls)
    return calls
  }
  const anonymous = { registry: open(addresses.registry), exchange: open(addresses.exchange), check: open(addresses.check) }
  const newOrganization = async (): Promise<Admin> => {
    const admin = newAdmin()
    await bootstrap(addresses, { credential: secrets.bootstrapCredential }, admin)
    return admin
  }
  const login = ({ clientId, clientSecret }: Credentials) =>
    anonymous.exchange(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })
  return {
    addresses,
    databases,
    secrets,
    clock,
    admin: await newOrganization(),
    logged: () => lines.join(''),
    newOrganization,
    login,
    session: async (credentials) => {
      const { accessToken: token, tokenId } = await login(credentials)
      const headers = bearer(token)
      return { token, tokenId, registry: open(addresses.registry, headers), exchange: open(addresses.exchange, headers), check: open(addresses.check, headers) }
    },
    check: (accessToken, action, type, { projectId = '', attributes = {}, consistency = FULL, from = '' } = {}) =>
      anonymous.check(Check.check, { accessToken, projectId, action, resource: { type, attributes: attributeValues(attributes) }, consistency, context: {}, sourceAddress: from }),
    anonymous,
    everywhere: async (change) => {
      const answer = await change
      await anonymous.check(Check.waitForRevision, { revision: answer.revision })
      return answer
    },
    close: async () => {
      for (const calls of opened) calls.close()
      await services.close()
      await database?.drop()
    },
  }
}

const attributeValues = (attributes: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { kind: { $case: 'stringValue' as const, value } }]))
