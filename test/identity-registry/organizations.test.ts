import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { makeWorkload } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { etagStale, invalid } from './expected.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const get = (by: Session = admin) => by.registry(Registry.getOrganization, {})
const rename = (name: string, etag = '') => asRead('registry', admin.registry(Registry.updateOrganization, { name, etag }))

describe('GetOrganization', () => {
  describe('answers', () => {
    it("with the organization of the caller's token, to each its own", async () => {
      const workload = await system.session(await makeWorkload(admin, { name: 'reader', role: 'viewer' }))
      const other = await system.newOrganization()
      expect(await get()).toMatchObject({ id: system.admin.organizationId, name: 'default' })
      expect(await get(workload)).toEqual(await get())
      expect(await get(await system.session(other))).toMatchObject({ id: other.organizationId })
    })
  })
})

describe('UpdateOrganization', () => {
  describe('answers', () => {
    it('with the renamed organization, its update time and a new etag', async () => {
      const before = await get()
      system.clock.advance(SECOND)
      const renamed = await rename('acme', before.etag)
      expect(renamed).toEqual({ ...before, name: 'acme', updateTime: system.clock.now(), etag: renamed.etag })
      expect(renamed.etag).not.toBe(before.etag)
      expect(await get()).toEqual(renamed)
    })

    it('without an etag, whatever was written before', async () => {
      await rename('first')
      expect(await rename('second')).toMatchObject({ name: 'second' })
    })

    it('changes no other organization', async () => {
      const other = await system.session(await system.newOrganization())
      const before = await get(other)
      await rename('alone')
      expect(await get(other)).toEqual(before)
    })
  })

  describe('refuses', () => {
    it('an etag that was overtaken', async () => {
      const { etag } = await get()
      const { name } = await rename('overtaken')
      await expect(rename('late', etag)).rejects.toMatchObject(etagStale)
      expect(await get()).toMatchObject({ name })
    })

    it('a name or an etag that can be none, naming both', async () => {
      await expect(rename(' padded ', 'no-etag')).rejects.toMatchObject(invalid('name', 'etag'))
    })

    it('the caller whose organization is removed while it is asked for', async () => {
      const doomed = await system.newOrganization()
      const session = await system.session(doomed)
      await heldTransaction(system.databases.superuserUrl, async (held) => {
        await held.run('delete from registry.organization where id = $1', [doomed.organizationId])
        const renaming = expect(session.registry(Registry.updateOrganization, { name: 'gone', etag: '' })).rejects.toMatchObject({
          kind: 'NOT_FOUND',
          reason: 'ORGANIZATION_NOT_FOUND',
        })
        await held.awaited()
        await held.commit()
        await renaming
      })
    })
  })
})
