import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CREDENTIAL_HEADER } from '#libs/rpc/service-credential.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ChangeFeedServiceService as Feed, Durability } from '#libs/wire/gen/countersign/feed/v1/change_feed.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Admin } from '../../deploy/local/bootstrap.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames } from '../support/builders.js'
import { type Calls, callsTo } from '../support/calls.js'
import { CALLER_SECRET, internalsFor } from '../support/confined-services.js'
import { stampOf } from '../support/revisions.js'
import { startSystem, type System } from '../support/system.js'

// PullChanges as both owners answer it. What the feed itself promises is in test/freshness.

let system: System
let foreign: Admin
let internals: Awaited<ReturnType<typeof internalsFor>>
const opened: Calls[] = []

beforeAll(async () => {
  system = await startSystem()
  foreign = await system.newOrganization()
  internals = await internalsFor(system, [
    { name: 'only-one', organizations: [system.admin.organizationId] },
    { name: 'everywhere', organizations: ['*'] },
  ])
})
afterAll(async () => {
  for (const calls of opened) calls.close()
  await internals.close()
  await system.close()
})

const open = (address: string, credential: string): Calls => {
  const calls = callsTo(address, credential === '' ? {} : { [CREDENTIAL_HEADER]: credential })
  opened.push(calls)
  return calls
}
const next = freshNames('identity')

/** A change in this organization: its revision, and what it changes. */
type Change = (of: Admin) => Promise<{ readonly revision: string; readonly entity: string }>

const createIdentity: Change = async (of) => {
  const { registry } = await system.session(of)
  const { id, revision } = await registry(Registry.createIdentity, { name: next(), role: '' })
  return { revision, entity: `identity/${id}` }
}
const revokeToken: Change = async (of) => {
  const { exchange, tokenId } = await system.session(of)
  const { revision } = await exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })
  return { revision, entity: `access-token/${tokenId}` }
}

describe.each([
  ['identity-registry', createIdentity, () => internals.registry, () => [system.addresses.registryInternal, system.addresses.registry]],
  ['auth-exchange', revokeToken, () => internals.exchange, () => [system.addresses.exchangeInternal, system.addresses.exchange]],
] as const)('PullChanges of %s', (_owner, change, confined, addresses) => {
  const pull = ({ epoch = '', after = 0, feed = '' } = {}, by = open(confined(), `everywhere:${CALLER_SECRET}`)) => by(Feed.pullChanges, { epoch, after, feed, current: false })
  const onlyOne = () => open(confined(), `only-one:${CALLER_SECRET}`)

  describe('answers', () => {
    it('with where the feed stands, how long copies may be used, and what commits survive', async () => {
      const { revision } = await change(system.admin)
      const { epoch, seq: head } = stampOf(revision)
      const databaseTime = system.clock.now()
      // The cluster of the tests runs without fsync.
      const terms = { databaseTime, boundMillis: 250, keptBoundMillis: 250, durability: Durability.NONE, ageMillis: 0 }
      expect(await pull({ epoch, after: head })).toEqual({ epoch, head, changes: [], ...terms })
    })

    it('with every change after a position, in order, each with what it changed', async () => {
      const { epoch, head: after } = await pull()
      const made = [await change(system.admin), await change(system.admin)]
      const organizationId = system.admin.organizationId
      const changes = made.map(({ revision, entity }) => ({ seq: stampOf(revision).seq, organizationId, entities: [entity] }))
      expect(await pull({ epoch, after })).toMatchObject({ epoch, head: after + 2, changes })
      expect(changes.map(({ seq }) => seq)).toEqual([after + 1, after + 2])
    })

    // Seen to fail without the question whether the caller may ask about the organization of a change.
    it('with nothing but the number of a change in an organization that the caller may not ask about', async () => {
      const [theirs, ours] = [await change(foreign), await change(system.admin)]
      const { epoch, seq } = stampOf(theirs.revision)
      const known = { seq: seq + 1, organizationId: system.admin.organizationId, entities: [ours.entity] }
      const asked = { epoch, after: seq - 1 }
      expect((await pull(asked, onlyOne())).changes).toEqual([{ seq, organizationId: '', entities: [] }, known])
      expect((await pull(asked)).changes).toEqual([{ seq, organizationId: foreign.organizationId, entities: [theirs.entity] }, known])
    })

    it('with no changes to a position of another epoch, whose numbers mean others', async () => {
      const { revision } = await change(system.admin)
      const { epoch, seq: head } = stampOf(revision)
      for (const other of ['', '0'.repeat(16)]) expect(await pull({ epoch: other, after: head - 1 })).toMatchObject({ epoch, head, changes: [] })
    })
  })

  describe('refuses', () => {
    it.each([
      [{ after: -1 }, ['after']],
      [{ epoch: 'x' }, ['epoch']],
      [{ epoch: '0'.repeat(17) }, ['epoch']],
      [{ epoch: 'ABCDEFABCDEFABCD', after: -1 }, ['after', 'epoch']],
      [{ feed: 'roles' }, ['feed']],
    ])('%j', async (request, fields) => {
      await expect(pull(request)).rejects.toMatchObject(invalid(...fields))
    })

    it('whoever shows no good service credential, or one for other methods, and everybody on the public port', async () => {
      const [internal = '', publicly = ''] = addresses()
      for (const credential of ['', `authorization-check:${'x'.repeat(32)}`]) {
        await expect(pull({}, open(internal, credential))).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'SERVICE_CREDENTIAL_REJECTED' })
      }
      const { bootstrapCredential, checkCredential } = system.secrets
      const refusal = { kind: 'PERMISSION_DENIED', reason: 'SERVICE_NOT_ALLOWED', metadata: { method: Feed.pullChanges.path } }
      await expect(pull({}, open(internal, `bootstrap:${bootstrapCredential}`))).rejects.toMatchObject(refusal)
      await expect(pull({}, open(publicly, `authorization-check:${checkCredential}`))).rejects.toMatchObject({ reason: 'PEER_REFUSED' })
    })
  })
})
