import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '#libs/log.js'
import { transportOf } from '#libs/rpc/transport.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { RegistryInternalServiceService as Internal } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { type Services, startServices } from '../../deploy/local/services.js'
import { asService, bearer, type Calls, callsTo } from '../support/calls.js'
import { certificateAuthority, variablesOf } from '../support/certificate-authority.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { plainSecret, untouched } from '../support/untouched.js'

// The four steps with TLS on every listener and to every peer: services know each other by certificate and credential.

const log = createLog({ service: 'test', level: 'silent' })
const admin = newAdmin()
const secrets = newSecrets()

let databases: FreshDatabase
let services: Services
let scratch: Awaited<ReturnType<typeof scratchDirectory>>
/** An operator's, or a workload's: it trusts the CA. */
let outside: ReturnType<typeof transportOf>
const opened: Calls[] = []

beforeAll(async () => {
  scratch = await scratchDirectory()
  databases = await freshDatabase()
  const authority = await certificateAuthority(scratch.path)
  const files = await authority.issue('services', ['IP:127.0.0.1', 'DNS:countersign'])
  outside = transportOf(variablesOf(await authority.issue('outside', ['DNS:somebody'])), log)
  const ports = { REGISTRY_PORT: '0', EXCHANGE_PORT: '0', CHECK_PORT: '0', HEALTH_PORT: '0', METRICS_PORT: '0' }
  services = await startServices({ ...databases, secrets, log: () => log, environment: { ...ports, ...variablesOf(files) } })
  await bootstrap(services.addresses, { credential: secrets.bootstrapCredential, channel: outside.client }, admin)
})
afterAll(async () => {
  for (const calls of opened) calls.close()
  await outside.close()
  await services.close()
  await databases.drop()
  await scratch.remove()
})

const callsOver = (address: string, headers: Record<string, string> = {}, plain = false): Calls => {
  const calls = plain ? callsTo(address, headers) : callsTo(address, headers, outside.client)
  opened.push(calls)
  return calls
}

async function login(credentials: { clientId: string; clientSecret: string }): Promise<string> {
  const { clientId, clientSecret } = credentials
  const { accessToken } = await callsOver(services.addresses.exchange)(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })
  return accessToken
}

describe('over TLS', () => {
  it('the four steps work', async () => {
    const token = bearer(await login(admin))
    const registry = callsOver(services.addresses.registry, token)
    const exchange = callsOver(services.addresses.exchange, token)
    const { id: identityId } = await registry(Registry.createIdentity, { name: 'billing', role: 'viewer' })
    await exchange(Exchange.attachUniversalAuth, { identityId, ...untouched })
    const { clientId, secret } = await exchange(Exchange.createClientSecret, { identityId, ...plainSecret })
    const accessToken = await login({ clientId, clientSecret: secret })
    const question = { accessToken, projectId: '', resource: { type: 'secrets', attributes: {} }, consistency: { level: { $case: 'full' as const, value: {} } }, context: {}, sourceAddress: '' }
    const check = callsOver(services.addresses.check)
    expect((await check(Check.check, { ...question, action: 'read' })).allowed).toBe(true)
    expect((await check(Check.check, { ...question, action: 'delete' })).allowed).toBe(false)
  })

  it.each(['registry', 'exchange', 'check', 'registryInternal', 'exchangeInternal'] as const)('nothing is said in plain text by %s', async (name) => {
    const plain = callsOver(services.addresses[name], {}, true)
    await expect(plain(Registry.getOrganization, {}, 1_500)).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
  })

  it('a service credential alone opens no internal port: there has to be a certificate by the CA', async () => {
    const shown = asService('auth-exchange', secrets.exchangeCredential)
    const request = { organizationId: admin.organizationId, identityId: admin.identityId }
    expect(await callsOver(services.addresses.registryInternal, shown)(Internal.describeIdentity, request)).toMatchObject({ name: 'admin' })
    const elsewhere = await certificateAuthority(scratch.path, 'elsewhere')
    const stranger = transportOf({ ...variablesOf(await elsewhere.issue('stranger', ['DNS:auth-exchange'])), TLS_CA_FILE: `${scratch.path}/ca.pem` }, log)
    const calls = callsTo(services.addresses.registryInternal, shown, stranger.client)
    opened.push(calls)
    await expect(calls(Internal.describeIdentity, request, 1_500)).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
    await stranger.close()
  })
})
