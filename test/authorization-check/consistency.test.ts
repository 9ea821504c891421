import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { monotonicMillis } from '#libs/clock.js'
import { AuthorizationCheckServiceService as Check, Durability } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { Effect } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { bindTo, forEver, freshNames, makeProject, makeWorkload } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { checkOnNetwork, type Replica } from '../support/confined-services.js'
import { BOUNDED, FULL, type Session, startSystem, type System } from '../support/system.js'

const BOUND_MILLIS = 100
const next = freshNames('thing')

let system: System
let admin: Session
/** Another replica, without Redis. */
let replica: Replica
let another: Calls

beforeAll(async () => {
  system = await startSystem({ environment: { STALENESS_BOUND_MILLIS: String(BOUND_MILLIS) } })
  admin = await system.session(system.admin)
  replica = await checkOnNetwork(system)
  another = callsTo(replica.address, bearer(admin.token))
})
afterAll(async () => {
  another.close()
  await replica.close()
  await system.close()
})

const atLeast = (...revisions: string[]) => ({ level: { $case: 'atLeast' as const, value: revisions.join(',') } })
const rule = (effect: Effect) => ({ effect, resources: ['secrets'], actions: ['read'], conditions: [] })

/** A workload that may read secrets of a project by a role of its own, and a way to ask; the answer is in every cache. */
async function reader() {
  const projectId = await makeProject(admin, next())
  const role = await admin.registry(Registry.createRole, { projectId, name: next(), description: '', rules: [rule(Effect.ALLOW)] })
  const workload = await makeWorkload(admin, { name: next() })
  const bindingId = await bindTo(admin, workload.identityId, projectId, role.name)
  const { accessToken, tokenId } = await system.login(workload)
  const resource = { type: 'secrets', attributes: {} }
  const ask = async (consistency = BOUNDED, by = system.anonymous.check) => {
    try {
      const { allowed } = await by(Check.check, { accessToken, projectId, action: 'read', resource, consistency, context: {}, sourceAddress: '' })
      return allowed ? 'allowed' : 'denied'
    } catch (error) {
      expect(error).toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' })
      return 'rejected'
    }
  }
  expect(await ask(FULL)).toBe('allowed')
  expect(await ask()).toBe('allowed')
  return { projectId, role, bindingId, accessToken, tokenId, ask, ...workload }
}

type Reader = Awaited<ReturnType<typeof reader>>
type Answered = { readonly revision: string }
type Change = (of: Reader) => Promise<Answered>

const setRules = (effect: Effect): Change => ({ role: { id }, projectId }) =>
  admin.registry(Registry.updateRole, { id, projectId, description: '', rules: [rule(effect)], etag: '' })

const changes: readonly (readonly [string, Change, 'allowed' | 'denied' | 'rejected'])[] = [
  ['a role taken away', ({ bindingId: id, projectId }) => admin.registry(Registry.deleteBinding, { id, projectId, etag: '' }), 'denied'],
  ['a role replaced', ({ bindingId: id, projectId }) => admin.registry(Registry.updateBinding, { id, projectId, roles: [forEver('no-access')], etag: '' }), 'denied'],
  ['a role edited', setRules(Effect.DENY), 'denied'],
  ['an identity disabled', ({ identityId: id }) => admin.registry(Registry.disableIdentity, { id }), 'rejected'],
  ['an identity deleted', ({ identityId: id }) => admin.registry(Registry.deleteIdentity, { id, etag: '' }), 'rejected'],
  ['a project deleted', ({ projectId: id }) => admin.registry(Registry.deleteProject, { id, etag: '' }), 'denied'],
  ['a token revoked', ({ tokenId: value }) => admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value } }), 'rejected'],
  ['a secret revoked', ({ identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id }), 'rejected'],
]

// That each fails with its row taken out of libs/freshness/entities.ts is what the unit tests and the chaos run show.
describe.each(changes)('%s', (_name, change, answer) => {
  it('is reflected by a check that demands its revision', async () => {
    const of = await reader()
    const { revision } = await change(of)
    expect(await of.ask(atLeast(revision))).toBe(answer)
  })

  it('is reflected at once by another replica of which its revision is demanded, though it has all in memory', async () => {
    const of = await reader()
    expect(await of.ask(FULL, another)).toBe('allowed')
    const { revision } = await change(of)
    expect(await of.ask(atLeast(revision), another)).toBe(answer)
  })

  it('is reflected by a check that demands everything', async () => {
    const of = await reader()
    await change(of)
    expect(await of.ask(FULL)).toBe(answer)
  })

  it('is reflected by every check that is asked later than the bound', async () => {
    const of = await reader()
    await change(of)
    const acknowledged = monotonicMillis()
    let asked = acknowledged
    let last = await of.ask()
    while (asked - acknowledged <= BOUND_MILLIS) {
      asked = monotonicMillis()
      last = await of.ask()
    }
    expect(last).toBe(answer)
  })
})

describe('what was taken away and given back', () => {
  it('is there again by the revision of the second change', async () => {
    const of = await reader()
    expect(await of.ask(atLeast((await setRules(Effect.DENY)(of)).revision))).toBe('denied')
    expect(await of.ask(atLeast((await setRules(Effect.ALLOW)(of)).revision))).toBe('allowed')
    const { revision } = await admin.registry(Registry.disableIdentity, { id: of.identityId })
    expect(await of.ask(atLeast(revision))).toBe('rejected')
    expect(await of.ask(atLeast((await admin.registry(Registry.enableIdentity, { id: of.identityId })).revision))).toBe('allowed')
  })
})

describe('a revision', () => {
  const decide = (consistency = BOUNDED) => system.check(admin.token, 'read', 'identity', { consistency })
  const revisionNow = async () => (await decide(FULL)).revision

  it('comes with every decision, with the bound that held, and can be handed on, alone or with others', async () => {
    const { revision, stalenessBoundMillis } = await decide()
    expect(revision).toMatch(/^registry\.0\.[0-9a-f]{16}\.\d+,exchange\.0\.[0-9a-f]{16}\.\d+$/)
    expect(stalenessBoundMillis).toBe(BOUND_MILLIS)
    expect(await decide(atLeast(revision, revision))).toMatchObject({ allowed: true })
  })

  it('of another epoch demands everything', async () => {
    const of = await reader()
    const { revision } = await setRules(Effect.DENY)(of)
    const [feed, shard, epoch = '', seq] = revision.split('.')
    const other = [feed, shard, epoch.replaceAll(/./g, (digit) => (digit === '0' ? '1' : '0')), seq].join('.')
    expect(await of.ask(atLeast(other))).toBe('denied')
  })

  it.each(['x', 'registry.0.00.1', `registry.0.${'0'.repeat(16)}.x`, `other.0.${'0'.repeat(16)}.1`, ',', 'a'.repeat(4097)])('that is none is refused by name: %j', async (text) => {
    const named = (field: string) => ({ kind: 'INVALID_ARGUMENT', violations: [expect.objectContaining({ field })] })
    await expect(decide(atLeast(text))).rejects.toMatchObject(named('consistency.at_least'))
    await expect(system.anonymous.check(Check.waitForRevision, { revision: text })).rejects.toMatchObject(named('revision'))
  })

  it('that nobody was ever given is OUT_OF_RANGE', async () => {
    const ahead = (await revisionNow()).replace(/\d+$/, '999999')
    const refusal = { kind: 'OUT_OF_RANGE', reason: 'REVISION_AHEAD', metadata: { revision: ahead } }
    await expect(decide(atLeast(ahead))).rejects.toMatchObject(refusal)
    await expect(system.anonymous.check(Check.waitForRevision, { revision: ahead })).rejects.toMatchObject(refusal)
  })
})

describe('waiting for a revision', () => {
  it('ends when the bound has passed; then every check reflects it', async () => {
    const of = await reader()
    const { revision } = await setRules(Effect.DENY)(of)
    const start = monotonicMillis()
    // The cluster of the tests runs without fsync: nothing is promised.
    expect(await system.anonymous.check(Check.waitForRevision, { revision })).toEqual({ durability: Durability.NONE })
    expect(monotonicMillis() - start).toBeGreaterThanOrEqual(BOUND_MILLIS - 1)
    expect(await of.ask()).toBe('denied')
  })

  it('needs more time than the bound', async () => {
    const { revision } = await system.check(admin.token, 'read', 'identity')
    await expect(system.anonymous.check(Check.waitForRevision, { revision }, BOUND_MILLIS * 0.9)).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
  })
})
