import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { makeProject } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'

// Whatever is made refers to its organization, project or identity, and PostgreSQL keeps that from being deleted meanwhile:
// FOR KEY SHARE, until the commit. Where much is made there is always somebody, and no fairness: who would wait for all of
// them to end could wait for ever, as an organization did in a chaos run.

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

/** While somebody refers to the row, and does not end. */
const whileReferredTo = <T>(table: string, id: string, work: () => Promise<T>): Promise<T> =>
  withClient(system.databases.superuserUrl, async (client) => {
    await client.query('begin')
    await client.query(`select from registry.${table} where id = $1 for key share`, [id])
    return work()
  })

// Each seen to fail with FOR UPDATE in the store.
describe('what something refers to that is being made', () => {
  it('organization: is renamed', async () => {
    const rename = () => admin.registry(Registry.updateOrganization, { name: 'another', etag: '' })
    expect(await whileReferredTo('organization', system.admin.organizationId, rename)).toMatchObject({ name: 'another' })
  })

  it('project: is renamed', async () => {
    const id = await makeProject(admin, 'shop')
    const rename = () => admin.registry(Registry.updateProject, { id, name: 'other-shop', etag: '' })
    expect(await whileReferredTo('project', id, rename)).toMatchObject({ name: 'other-shop' })
  })

  it('identity: is renamed, disabled and enabled', async () => {
    const { id } = await admin.registry(Registry.createIdentity, { name: 'workload', role: 'viewer' })
    await whileReferredTo('identity', id, async () => {
      await admin.registry(Registry.updateIdentity, { id, name: 'other-workload', etag: '' })
      await admin.registry(Registry.disableIdentity, { id })
      await admin.registry(Registry.enableIdentity, { id })
    })
    expect(await admin.registry(Registry.getIdentity, { id })).toMatchObject({ name: 'other-workload' })
  })
})
