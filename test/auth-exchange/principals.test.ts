import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.js'
import { createIds } from '#libs/ids.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Principal } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, UNKNOWN_ID } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { revisionOf } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { type AnotherExchange, anotherExchange } from './another-exchange.js'

let system: System
let admin: Session
let foreign: { readonly session: Session; readonly identityId: string; readonly principal: Principal }

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  const session = await system.session(await system.newOrganization())
  const identityId = (await session.registry(Registry.createIdentity, { name: 'foreign', role: '' })).id
  const { principal } = await session.exchange(Exchange.createPrincipal, { identityId, name: 'spiffe://foreign' })
  if (!principal) throw new Error('a principal was created and not shown')
  foreign = { session, identityId, principal }
})
afterAll(() => system.close())

const next = freshNames('identity')
const newIdentity = async () => (await admin.registry(Registry.createIdentity, { name: next(), role: '' })).id
const ids = createIds(systemClock)
const newName = () => `spiffe://acme/${next()}`
const create = (identityId: string, name: string, by = admin.exchange) => by(Exchange.createPrincipal, { identityId, name })
const list = (request: { identityId?: string; pageSize?: number; pageToken?: string } = {}) =>
  admin.exchange(Exchange.listPrincipals, { identityId: '', pageSize: 0, pageToken: '', ...request })
const remove = (id: string) => admin.exchange(Exchange.deletePrincipal, { id })

const nameTaken = (name: string) => ({ kind: 'ALREADY_EXISTS', reason: 'PRINCIPAL_NAME_TAKEN', metadata: { name } })
const notFound = { kind: 'NOT_FOUND', reason: 'PRINCIPAL_NOT_FOUND' }

describe('CreatePrincipal', () => {
  describe('answers', () => {
    it('with the principal, which is listed from then on', async () => {
      const [identityId, name] = [await newIdentity(), newName()]
      const { principal, revision } = await create(identityId, name)
      const { organizationId } = system.admin
      expect(principal).toEqual({ id: principal?.id, organizationId, identityId, name, createTime: system.clock.now() })
      expect(revision).toEqual(revisionOf('exchange'))
      expect(await list({ identityId })).toEqual({ principals: [principal], nextPageToken: '' })
    })

    it('with several for one identity, by whatever certificates name', async () => {
      const identityId = await newIdentity()
      const tag = next()
      const names = [`spiffe://acme.example/ns/shop/sa/${tag}`, `${tag}.shop.svc`, `CN=${tag},O=Acme\\, Inc.,C=DE`, `CN=${tag} of the shop`, 'x'.repeat(512), '~']
      for (const name of names) await create(identityId, name)
      expect((await list({ identityId })).principals.map(({ name }) => name)).toEqual(names)
    })

    // Certificates are told apart by their bytes: what is alike to people is somebody else.
    it('for names that differ in case alone, which are different ones', async () => {
      const [one, other] = [await newIdentity(), await newIdentity()]
      await create(one, 'CN=Orders')
      expect((await create(other, 'CN=orders')).principal).toMatchObject({ identityId: other })
    })

    it('for a name that is another organization’s principal too', async () => {
      const identityId = await newIdentity()
      expect((await create(identityId, foreign.principal.name)).principal).toMatchObject({ identityId })
    })
  })

  describe('refuses', () => {
    it('a name that is taken, by this identity or another, also one that was deleted since', async () => {
      const [taker, other, name] = [await newIdentity(), await newIdentity(), newName()]
      await create(taker, name)
      for (const identityId of [taker, other]) await expect(create(identityId, name)).rejects.toMatchObject(nameTaken(name))
      await system.everywhere(admin.registry(Registry.deleteIdentity, { id: taker, etag: '' }))
      await expect(create(other, name)).rejects.toMatchObject(nameTaken(name))
      expect((await list({ identityId: other })).principals).toEqual([])
    })

    it('an identity that there is not, or no longer, or that is of another organization', async () => {
      const deleted = await newIdentity()
      await system.everywhere(admin.registry(Registry.deleteIdentity, { id: deleted, etag: '' }))
      for (const id of [UNKNOWN_ID, deleted, foreign.identityId]) {
        await expect(create(id, newName())).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'IDENTITY_NOT_FOUND', metadata: { id } })
      }
    })

    it('a disabled identity, until it is enabled again', async () => {
      const [identityId, name] = [await newIdentity(), newName()]
      await system.everywhere(admin.registry(Registry.disableIdentity, { id: identityId }))
      await expect(create(identityId, name)).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'IDENTITY_NOT_ACTIVE', metadata: { identityId } })
      await system.everywhere(admin.registry(Registry.enableIdentity, { id: identityId }))
      await create(identityId, name)
    })

    it.each(['', ' ', ' CN=a', 'CN=a ', 'CN=a\n', 'CN=a\tb', 'CN=a\0', 'CN=\u007f', 'CN=bäd', 'CN=\u200b', 'x'.repeat(513)])('the name %j', async (name) => {
      await expect(create(UNKNOWN_ID, name)).rejects.toMatchObject(invalid('name'))
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(create('x', '')).rejects.toMatchObject(invalid('identity_id', 'name'))
    })
  })
})

describe('one name that many want at once', () => {
  let replica: AnotherExchange
  let there: Calls

  beforeAll(async () => {
    replica = await anotherExchange(system)
    there = callsTo(replica.address, bearer(admin.token))
  })
  afterAll(async () => {
    there.close()
    await replica.close()
  })

  const recordsOf = async (name: string) => {
    const query = `select (select count(*)::int from exchange.principal where name = $1) as principals,
                          (select count(*)::int from exchange.audit_event where details->>'name' = $1) as events`
    return withClient(system.databases.superuserUrl, async (client) => (await client.query<{ principals: number; events: number }>(query, [name])).rows[0])
  }

  // Seen to fail without the constraint on names.
  it('is one identity’s: of forty creations over two replicas one is made and audited, the others are refused', async () => {
    const [one, other, name] = [await newIdentity(), await newIdentity(), newName()]
    const creations = await Promise.allSettled(Array.from({ length: 40 }, (_, place) => create(place % 3 === 0 ? one : other, name, place % 2 === 0 ? admin.exchange : there)))
    const refusals = creations.flatMap((creation) => (creation.status === 'rejected' ? [creation.reason] : []))
    expect(refusals).toHaveLength(39)
    for (const refusal of refusals) expect(refusal).toMatchObject(nameTaken(name))
    expect(await recordsOf(name)).toEqual({ principals: 1, events: 1 })
  })

  it('is refused to whoever waited for another’s creation that was committed', async () => {
    const [identityId, other, name] = [await newIdentity(), await newIdentity(), newName()]
    const creation = await heldTransaction(system.databases.superuserUrl, async (held) => {
      const row = [system.admin.organizationId, ids.next(), other, name]
      await held.run('insert into exchange.principal (organization_id, id, identity_id, name, create_time) values ($1, $2, $3, $4, now())', row)
      const waiting = Promise.allSettled([create(identityId, name)])
      await held.awaited()
      await held.commit()
      return waiting
    })
    expect(creation).toMatchObject([{ status: 'rejected', reason: nameTaken(name) }])
  })
})

describe('ListPrincipals', () => {
  const idsOf = ({ principals }: { principals: Principal[] }) => principals.map(({ id }) => id)

  describe('answers', () => {
    it('with those of the organization, or of one identity, in order of creation and page by page, and none of another organization', async () => {
      const [one, other] = [await newIdentity(), await newIdentity()]
      const made: string[] = []
      for (const identityId of [one, other, one]) made.push((await create(identityId, newName())).principal?.id ?? '')
      const first = await list({ identityId: one, pageSize: 1 })
      const second = await list({ identityId: one, pageSize: 1, pageToken: first.nextPageToken })
      expect([idsOf(first), idsOf(second), second.nextPageToken]).toEqual([[made[0]], [made[2]], ''])
      const all = idsOf(await list({ pageSize: 200 }))
      expect(all.filter((id) => made.includes(id))).toEqual(made)
      expect(all).not.toContain(foreign.principal.id)
    })

    it('with those of a deleted identity too, and with nothing for one that has none, that there is not, or that is of another organization', async () => {
      const identityId = await newIdentity()
      const { principal } = await create(identityId, newName())
      await admin.registry(Registry.deleteIdentity, { id: identityId, etag: '' })
      expect((await list({ identityId })).principals).toEqual([principal])
      for (const id of [await newIdentity(), UNKNOWN_ID, foreign.identityId]) expect(await list({ identityId: id })).toEqual({ principals: [], nextPageToken: '' })
    })
  })

  describe('refuses', () => {
    it('a request with everything wrong, naming all of it', async () => {
      await expect(list({ identityId: 'x', pageSize: 201, pageToken: 'y' })).rejects.toMatchObject(invalid('identity_id', 'page_size', 'page_token'))
    })
  })
})

describe('DeletePrincipal', () => {
  describe('answers', () => {
    it('and the name can be given again, to another identity', async () => {
      const [one, other, name] = [await newIdentity(), await newIdentity(), newName()]
      const { principal } = await create(one, name)
      expect(await remove(principal?.id ?? '')).toEqual({ revision: revisionOf('exchange') })
      expect((await list({ identityId: one })).principals).toEqual([])
      expect((await create(other, name)).principal).toMatchObject({ identityId: other, name })
    })

    it('for an identity that was deleted', async () => {
      const identityId = await newIdentity()
      const { principal } = await create(identityId, newName())
      await system.everywhere(admin.registry(Registry.deleteIdentity, { id: identityId, etag: '' }))
      await remove(principal?.id ?? '')
    })
  })

  describe('refuses', () => {
    it('a principal that there is not, or no longer, or that is of another organization, which keeps it', async () => {
      const { principal } = await create(await newIdentity(), newName())
      await remove(principal?.id ?? '')
      for (const id of [UNKNOWN_ID, principal?.id ?? '', foreign.principal.id]) await expect(remove(id)).rejects.toMatchObject({ ...notFound, metadata: { id } })
      const theirs = await foreign.session.exchange(Exchange.listPrincipals, { identityId: '', pageSize: 0, pageToken: '' })
      expect(theirs.principals).toEqual([foreign.principal])
    })

    it('what is no id', async () => {
      await expect(remove('x')).rejects.toMatchObject(invalid('id'))
    })
  })
})
