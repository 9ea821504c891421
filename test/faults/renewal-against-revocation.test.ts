import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RenewAccessTokenResponse, RevokeAccessTokensRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { BOUNDED, type Session, startSystem, type System } from '../support/system.js'
import { type Held, heldTransaction } from './held-transaction.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const renew = (accessToken: string) => system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
const revoke = (value: string) => system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value } })
const revokeAll = (of: RevokeAccessTokensRequest['of']) => admin.exchange(Exchange.revokeAccessTokens, { of })
const check = (token: string) => system.check(token, 'read', 'secrets')

type Lineage = Workload & { readonly accessToken: string; readonly tokenId: string }
type Outcome = PromiseSettledResult<RenewAccessTokenResponse>

const OF_TOKEN = 'from exchange.access_token where id = $1'

async function newLineage(by = admin): Promise<Lineage> {
  const workload = await makeWorkload(by, { name: next() })
  return { ...workload, ...(await system.login(workload)) }
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise])
  return outcome
}

/** A renewal that was found to be in order and waits for the lineage's row, which is kept while `meanwhile` goes on. */
const renewalDuring = ({ accessToken, tokenId }: Lineage, meanwhile: (held: Held) => Promise<unknown>): Promise<Outcome> =>
  heldTransaction(system.databases.superuserUrl, async (held) => {
    await held.run('select from exchange.access_token where id = $1 for update', [tokenId])
    const renewal = settled(renew(accessToken))
    await held.awaited()
    await meanwhile(held)
    await held.commit()
    return renewal
  })

/** Neither the token that was shown nor the one that may have been given is honoured by anybody. */
async function expectDead({ accessToken }: Lineage, renewal: Outcome): Promise<void> {
  const texts = renewal.status === 'fulfilled' ? [accessToken, renewal.value.accessToken] : [accessToken]
  if (renewal.status === 'rejected') expect(renewal.reason).toMatchObject(rejected)
  for (const text of texts) {
    await expect(check(text)).rejects.toMatchObject(rejected)
    await expect(renew(text)).rejects.toMatchObject(rejected)
  }
}

describe('a renewal that was in order when its token was read', () => {
  // The statement judges what it finds. Each seen to fail with the condition that it is about taken out of recordRenewals.
  it.each([
    ['the lineage was revoked', 'update exchange.access_token set revoke_time = now() where id = $1'],
    ['the lineage has ended', "update exchange.access_token set expire_time = '2020-01-01' where id = $1"],
    ['its secret was voided', `update exchange.client_secret set epoch = gen_random_uuid() where id = (select credential_id ${OF_TOKEN})`],
    ['its method was voided', `update exchange.universal_auth set epoch = gen_random_uuid() where identity_id = (select identity_id ${OF_TOKEN})`],
    ['its identity was voided', `insert into exchange.identity_epoch select organization_id, identity_id, gen_random_uuid() ${OF_TOKEN}`],
    ['its organization was voided', `insert into exchange.organization_epoch select organization_id, gen_random_uuid() ${OF_TOKEN}`],
  ])('gives no token, and writes nothing, where %s before it is recorded', async (_name, end) => {
    const lineage = await newLineage(await system.session(await system.newOrganization()))
    const before = await contentOf(system.databases.superuserUrl, 'exchange')
    const renewal = await heldTransaction(system.databases.superuserUrl, async (held) => {
      // It may be read, and not written.
      await held.run('lock table exchange.access_token in share mode')
      const waiting = settled(renew(lineage.accessToken))
      await held.awaited()
      await held.run(end, [lineage.tokenId])
      await held.commit()
      return waiting
    })
    expect(renewal).toMatchObject({ status: 'rejected', reason: rejected })
    expect((await contentOf(system.databases.superuserUrl, 'exchange')).audit_event).toEqual(before.audit_event)
  })

  it('gives nothing where it waited for a revocation of the lineage', async () => {
    const lineage = await newLineage()
    const renewal = await renewalDuring(lineage, (held) => held.run('update exchange.access_token set revoke_time = now() where id = $1', [lineage.tokenId]))
    expect(renewal).toMatchObject({ status: 'rejected', reason: rejected })
  })

  it.each<[string, (lineage: Lineage) => Promise<unknown>]>([
    ['of the lineage', ({ accessToken }) => revoke(accessToken)],
    ['of its secret', ({ identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })],
    ['of all of its secret', ({ identityId, secretId: id }) => revokeAll({ $case: 'clientSecret', value: { identityId, id } })],
    ['of all of its method', ({ identityId }) => revokeAll({ $case: 'authMethod', value: { identityId, method: 'universal-auth' } })],
    ['of all of its identity', ({ identityId: value }) => revokeAll({ $case: 'identityId', value })],
    ['of all of the organization', () => revokeAll({ $case: 'organization', value: {} })],
  ])('leaves both tokens dead where a revocation %s comes right behind it, or before', async (_name, end) => {
    const lineage = await newLineage()
    let revocation: Promise<unknown> = Promise.resolve()
    const renewal = await renewalDuring(lineage, async (held) => {
      revocation = end(lineage)
      // One of many tokens waits for nobody.
      await Promise.race([held.awaited(2), revocation])
    })
    await revocation
    await expectDead(lineage, renewal)
    admin = await system.session(system.admin)
  })

  // Seen to fail with the method's epoch left out of what makes a token live.
  it('leaves both tokens dead where the method was voided while it waited', async () => {
    const lineage = await newLineage()
    const renewal = await renewalDuring(lineage, (held) => held.run(VOID_METHOD, [lineage.identityId]))
    await expectDead(lineage, renewal)
  })

  // What a renewal hands to those who check is true as of when its token was read. Seen to fail with the position of the feed
  // read when the renewal was recorded.
  it('hands on nothing that hides a revocation which overtook it', async () => {
    const lineage = await newLineage()
    const renewal = await renewalDuring(lineage, () => withClient(system.databases.superuserUrl, (client) => client.query(VOID_METHOD, [lineage.identityId])))
    if (renewal.status === 'rejected') throw renewal.reason
    // Another question makes the replica pull: what it knows now is newer than the revocation.
    await system.check(admin.token, 'read', 'organization')
    await expect(system.check(renewal.value.accessToken, 'read', 'secrets', { consistency: BOUNDED })).rejects.toMatchObject(rejected)
  })

  it.each([
    ['deleted', (id: string) => admin.registry(Registry.deleteIdentity, { id, etag: '' })],
    ['disabled', (id: string) => admin.registry(Registry.disableIdentity, { id })],
  ] as const)('leaves both tokens dead where the identity was %s while it waited', async (_name, stop) => {
    const lineage = await newLineage()
    let revision = ''
    const renewal = await renewalDuring(lineage, async () => {
      revision = (await stop(lineage.identityId)).revision
    })
    await system.everywhere({ revision })
    await expectDead(lineage, renewal)
  })
})

// As a call that revokes all tokens of a method does: the epoch, and the change that names it.
const VOID_METHOD = `
  with voided as (update exchange.universal_auth set epoch = gen_random_uuid() where identity_id = $1 returning organization_id, identity_id)
  insert into exchange.feed_change (id, shard, organization_id, entities)
  select gen_random_uuid(), 0, organization_id, array['auth-method/' || identity_id] from voided`

describe('two renewals of one lineage at once', () => {
  // Seen to fail with the end of whichever came last in place of the later one.
  it('give both their token, and the later end counts, whichever is recorded last', async () => {
    const lineage = await newLineage()
    const renewals = await heldTransaction(system.databases.superuserUrl, async (held) => {
      await held.run('select from exchange.access_token where id = $1 for update', [lineage.tokenId])
      system.clock.advance(20 * SECOND)
      const later = renew(lineage.accessToken)
      await held.awaited()
      system.clock.advance(-10 * SECOND)
      const earlier = renew(lineage.accessToken)
      await held.awaited(2)
      await held.commit()
      return Promise.all([later, earlier])
    })
    system.clock.advance(10 * SECOND)
    for (const { accessToken, tokenId } of renewals) {
      expect(tokenId).toBe(lineage.tokenId)
      expect(await check(accessToken)).toMatchObject({ tokenId })
    }
    await revoke(renewals[0].accessToken)
    for (const text of [lineage.accessToken, ...renewals.map(({ accessToken }) => accessToken)]) await expect(check(text)).rejects.toMatchObject(rejected)
  })

  it('of forty are all answered, each with its audit event', async () => {
    const lineage = await newLineage()
    const renewals = await Promise.all(Array.from({ length: 40 }, () => renew(lineage.accessToken)))
    for (const { accessToken } of renewals.slice(-3)) expect(await check(accessToken)).toMatchObject({ tokenId: lineage.tokenId })
    const query = "select count(*)::int as events from exchange.audit_event where action = 'RenewAccessToken' and target_id = $1"
    const { rows } = await withClient(system.databases.superuserUrl, (client) => client.query(query, [lineage.tokenId]))
    expect(rows).toEqual([{ events: 40 }])
  })
})
