import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthorizationCheckServiceService as Check, CheckRequest, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames } from '../support/builders.js'
import { bearer, callsTo } from '../support/calls.js'
import { checkOnNetwork, type Replica } from '../support/confined-services.js'
import { askAsEnvoy, bearerHeader, LET_THROUGH, refused, seenByClient } from '../support/envoy.js'
import { BOUNDED, FULL, type Session, startSystem, type System } from '../support/system.js'
import { give, workloadWith } from '../support/token-settings.js'

let system: System
let admin: Session
/** Asked over a network, by callers with tokens of their own. */
let network: Replica

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  network = await checkOnNetwork(system)
})
afterAll(async () => {
  await network.close()
  await system.close()
})

const next = freshNames('confined')
const inside = { accessTokenTrustedIps: { cidrs: ['10.0.0.0/8', '2001:db8::/32'] } }
const elsewhere = { allowed: false, reason: DecisionReason.SOURCE_NOT_TRUSTED, rule: undefined }
const read = (token: string, from: string, consistency = BOUNDED) => system.check(token, 'read', 'secrets', { from, consistency })
const introspect = (accessToken: string) => admin.exchange(Exchange.introspectAccessToken, { accessToken })

// Each seen to fail without the question where the token is used.
describe('a token that may be used from some addresses only', () => {
  it('is judged by its roles there, and denied everything elsewhere and where nobody knows', async () => {
    const { accessToken } = await system.login(await workloadWith(admin, next(), inside))
    for (const from of ['10.1.2.3', '::ffff:10.1.2.3', '2001:DB8::1']) expect(await read(accessToken, from)).toMatchObject({ allowed: true })
    for (const from of ['11.1.2.3', '::1', '2001:db9::1', '']) expect(await read(accessToken, from)).toMatchObject(elsewhere)
    expect(await system.check(accessToken, 'write', 'secrets', { from: '10.1.2.3' })).toMatchObject({ reason: DecisionReason.NO_RULE })
  })

  it('loses no use elsewhere', async () => {
    const { accessToken } = await system.login(await workloadWith(admin, next(), { ...inside, accessTokenUseLimit: 1 }))
    for (const from of ['11.1.2.3', '']) expect(await read(accessToken, from)).toMatchObject(elsewhere)
    expect(await introspect(accessToken)).toMatchObject({ active: true, uses: 0 })
    expect(await read(accessToken, '10.1.2.3')).toMatchObject({ allowed: true })
  })

  // The list is no part of what a token was issued with: seen to fail with the list left out of what depends on the method.
  it('follows a change of its method, also where it was issued and checked before', async () => {
    const workload = await workloadWith(admin, next(), {})
    const { accessToken } = await system.login(workload)
    expect(await read(accessToken, '11.1.2.3')).toMatchObject({ allowed: true })
    await system.everywhere(give(admin, workload.identityId, inside))
    expect(await read(accessToken, '11.1.2.3')).toMatchObject(elsewhere)
    await give(admin, workload.identityId, { accessTokenTrustedIps: { cidrs: ['11.0.0.0/8'] } })
    expect(await read(accessToken, '11.1.2.3', FULL)).toMatchObject({ allowed: true })
    expect(await read(accessToken, '10.1.2.3', FULL)).toMatchObject(elsewhere)
  })

  it('is judged by the address that a proxy takes its client for, and the answer is for no other', async () => {
    const { accessToken } = await system.login(await workloadWith(admin, next(), inside))
    const ask = (from?: string) =>
      askAsEnvoy(system.anonymous.check, { headers: [bearerHeader(accessToken), ['x-forwarded-for', '10.1.2.3']], extensions: { action: 'read', resource: 'secrets' }, ...(from !== undefined && { from }) })
    const answer = await ask('10.1.2.3')
    expect(seenByClient(answer)).toEqual(LET_THROUGH)
    expect(answer.dynamicMetadata).toMatchObject({ cacheable_for_ms: 0 })
    for (const from of ['11.1.2.3', 'nonsense', undefined]) {
      const { body, ...seen } = seenByClient(await ask(from))
      const { body: expected, ...denial } = refused(403, 'SOURCE_NOT_TRUSTED')
      expect(seen).toEqual(denial)
      expect(body.error).toEqual({ ...expected.error, decisionId: expect.any(String) })
    }
  })

  it('manages nothing from elsewhere, and is told that it is the address', async () => {
    const workload = await workloadWith(admin, next(), { role: 'admin', ...inside })
    const session = await system.session(workload)
    const untrusted = { kind: 'PERMISSION_DENIED', reason: 'TOKEN_SOURCE_NOT_TRUSTED' }
    await expect(session.registry(Registry.getOrganization, {})).rejects.toMatchObject(untrusted)
    await expect(session.exchange(Exchange.listAccessTokens, { identityId: '', pageSize: 0, pageToken: '' })).rejects.toMatchObject(untrusted)
    await give(admin, workload.identityId, { accessTokenTrustedIps: { cidrs: ['127.0.0.0/8'] } })
    await session.registry(Registry.getOrganization, {})
  })

  it('asks nothing about others from elsewhere', async () => {
    const workload = await workloadWith(admin, next(), { role: 'admin', ...inside })
    const asker = callsTo(network.address, bearer((await system.login(workload)).accessToken))
    const ask = () => asker(Check.check, CheckRequest.fromPartial({ accessToken: admin.token, action: 'read', resource: { type: 'secrets' }, sourceAddress: '10.1.2.3' }))
    await expect(ask()).rejects.toMatchObject({ kind: 'PERMISSION_DENIED', reason: 'TOKEN_SOURCE_NOT_TRUSTED' })
    await system.everywhere(give(admin, workload.identityId, { accessTokenTrustedIps: { cidrs: ['127.0.0.1'] } }))
    expect(await ask()).toMatchObject({ allowed: true })
    asker.close()
  })

  it('is renewed and introspected from anywhere: that is no use of it', async () => {
    const { accessToken } = await system.login(await workloadWith(admin, next(), inside))
    expect(await introspect(accessToken)).toMatchObject({ active: true })
    expect(await system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })).toMatchObject({ expiresInSeconds: 3_600 })
  })
})

it('a token that may be used from everywhere may be from where nobody knows', async () => {
  const { accessToken } = await system.login(await workloadWith(admin, next(), {}))
  for (const from of ['', '11.1.2.3', '::1']) expect(await read(accessToken, from)).toMatchObject({ allowed: true })
})

it.each(['10.0.0.0/8', '10.1.2', '010.1.2.3', 'fe80::1%eth0', 'localhost', '10.1.2.3:80', '10.1.2.3, 11.1.2.3'])('%j is no address to be used from', async (from) =>
  expect(read(admin.token, from)).rejects.toMatchObject(invalid('source_address')))
