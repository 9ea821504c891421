import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LoginResponse, RevokeAccessTokensRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { type Held, heldTransaction } from './held-transaction.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const rejected = { kind: 'UNAUTHENTICATED', reason: 'CREDENTIALS_REJECTED' }

/** What a login that was refused has not added to. */
const written = async () => {
  const { access_token: tokens, audit_event: events } = await contentOf(system.databases.superuserUrl, 'exchange')
  return { tokens, events }
}
const usesOf = async ({ identityId }: Workload): Promise<number | undefined> =>
  (await admin.exchange(Exchange.listClientSecrets, { identityId, pageSize: 0, pageToken: '' })).clientSecrets[0]?.uses

type Outcome = PromiseSettledResult<LoginResponse>

/** A login that has verified its secret and waits for the secret's row, which is kept while `meanwhile` goes on. */
async function loginDuring({ secretId, ...credentials }: Workload, meanwhile: (held: Held) => Promise<unknown>): Promise<Outcome> {
  return heldTransaction(system.databases.superuserUrl, async (held) => {
    await held.run('select from exchange.client_secret where id = $1 for update', [secretId])
    const login = settled(system.login(credentials))
    await held.awaited()
    await meanwhile(held)
    await held.commit()
    return login
  })
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise])
  return outcome
}

// Between the verification of a secret and the statement that records the login anything can happen.
describe('a login whose secret was good when it was verified', () => {
  // The statement judges what it finds. Each seen to fail with the condition that it is about taken out of recordLogins.
  it.each([
    ['was revoked', 'revoke_time = now()', 0],
    ['has expired', "expire_time = now() - interval '1 day'", 0],
    ['was spent', 'use_limit = 1, uses = 1', 1],
    ['was voided by a new epoch', 'epoch = gen_random_uuid()', 0],
  ] as const)('gets no token, and writes nothing, where the secret %s before it is recorded', async (_name, assignments, uses) => {
    const workload = await makeWorkload(admin, { name: next() })
    const before = await written()
    const change = `update exchange.client_secret set ${assignments} where id = $1`
    const login = await loginDuring(workload, (held) => held.run(change, [workload.secretId]))
    expect(login).toMatchObject({ status: 'rejected', reason: rejected })
    expect(await written()).toEqual(before)
    expect(await usesOf(workload)).toBe(uses)
  })

  it('gets a token that is dead at once, where the secret is revoked right behind it', async () => {
    const workload = await makeWorkload(admin, { name: next() })
    let revocation: Promise<unknown> = Promise.resolve()
    const login = await loginDuring(workload, (held) => {
      revocation = admin.exchange(Exchange.revokeClientSecret, { identityId: workload.identityId, id: workload.secretId })
      return held.awaited(2)
    })
    await revocation
    await expectDead(login)
    await expect(system.login(workload)).rejects.toMatchObject(rejected)
  })

  // Seen to fail with the method's epoch left out of what makes a token live.
  it('gets a token that is dead at once, where its method was voided before it is recorded', async () => {
    const workload = await makeWorkload(admin, { name: next() })
    const login = await loginDuring(workload, (held) =>
      held.run(VOID_METHOD, [workload.identityId]))
    await expectDead(login)
  })

  // Seen to fail with the epoch of each left out of what makes a token live.
  it.each<[string, (workload: Workload) => RevokeAccessTokensRequest['of']]>([
    ['its method', ({ identityId }) => ({ $case: 'authMethod', value: { identityId, method: 'universal-auth' } })],
    ['its identity', ({ identityId: value }) => ({ $case: 'identityId', value })],
    ['the organization', () => ({ $case: 'organization', value: {} })],
  ])('gets a token that is dead at once, where all tokens of %s were revoked before it is recorded', async (_name, of) => {
    const workload = await makeWorkload(admin, { name: next() })
    const login = await loginDuring(workload, () => admin.exchange(Exchange.revokeAccessTokens, { of: of(workload) }))
    await expectDead(login)
    expect(await system.check((await system.login(workload)).accessToken, 'read', 'secrets')).toMatchObject({ identityId: workload.identityId })
    admin = await system.session(system.admin)
  })

  it('gets a token that is dead at once, where all tokens of its secret are revoked right behind it', async () => {
    const workload = await makeWorkload(admin, { name: next() })
    let revocation: Promise<unknown> = Promise.resolve()
    const login = await loginDuring(workload, (held) => {
      const { identityId, secretId: id } = workload
      revocation = admin.exchange(Exchange.revokeAccessTokens, { of: { $case: 'clientSecret', value: { identityId, id } } })
      return held.awaited(2)
    })
    await revocation
    await expectDead(login)
  })

  it.each([
    ['deleted', (id: string) => admin.registry(Registry.deleteIdentity, { id, etag: '' })],
    ['disabled', (id: string) => admin.registry(Registry.disableIdentity, { id })],
  ] as const)('gets a token that is dead at once, where its identity was %s before it is recorded', async (_name, stop) => {
    const workload = await makeWorkload(admin, { name: next() })
    let revision = ''
    const login = await loginDuring(workload, async () => {
      revision = (await stop(workload.identityId)).revision
    })
    await expectDead(login)
    // The secret itself is refused within the bound.
    await system.everywhere({ revision })
    await expect(system.login(workload)).rejects.toMatchObject(rejected)
  })
})

// As a call that revokes all tokens of a method does: the epoch, and the change that names it.
const VOID_METHOD = `
  with voided as (update exchange.universal_auth set epoch = gen_random_uuid() where identity_id = $1 returning organization_id, identity_id)
  insert into exchange.feed_change (id, shard, organization_id, entities)
  select gen_random_uuid(), 0, organization_id, array['auth-method/' || identity_id] from voided`

/** There is no token, or none that anybody honours. */
async function expectDead(login: Outcome): Promise<void> {
  if (login.status === 'rejected') {
    expect(login.reason).toMatchObject(rejected)
  } else {
    const check = system.check(login.value.accessToken, 'read', 'secrets')
    await expect(check).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' })
  }
}
