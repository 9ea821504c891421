import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { bindTo, forEver, freshNames, makeProject } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { auditEvents, contentOf, isOneTransaction, type NamedCalls, underRequestId, withoutAudit } from './audit-trail.js'

let system: System
let admin: Session
let projectId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  projectId = await makeProject(admin, 'standing')
})
afterAll(() => system.close())

const next = freshNames('thing')
const newIdentity = async () => (await admin.registry(Registry.createIdentity, { name: next(), role: '' })).id
const newRole = async () => (await admin.registry(Registry.createRole, { projectId, name: next(), description: '', rules: [] })).id
const newBinding = async () => bindTo(admin, await newIdentity(), projectId, 'viewer')
const viewer = [forEver('viewer')]

/** What is to be audited: its type, and a call that answers with its id. */
type Audited = { readonly type: string; readonly call: (by: NamedCalls) => Promise<string> }
type Mutation = Exclude<keyof typeof Registry, `get${string}` | `list${string}`>

// A method that is added and not called Get or List has to have a row here: without it this does not compile.
const mutations: Record<Mutation, () => Promise<Audited>> = {
  updateOrganization: async () => ({
    type: 'organization',
    call: async (by) => (await by(Registry.updateOrganization, { name: next(), etag: '' })).id,
  }),
  createProject: async () => ({ type: 'project', call: async (by) => (await by(Registry.createProject, { name: next() })).id }),
  updateProject: () => of('project', makeProject(admin, next()), (by, id) => by(Registry.updateProject, { id, name: next(), etag: '' })),
  deleteProject: () => of('project', makeProject(admin, next()), (by, id) => by(Registry.deleteProject, { id, etag: '' })),
  createIdentity: async () => ({ type: 'identity', call: async (by) => (await by(Registry.createIdentity, { name: next(), role: 'viewer' })).id }),
  updateIdentity: () => of('identity', newIdentity(), (by, id) => by(Registry.updateIdentity, { id, name: next(), etag: '' })),
  enableIdentity: () => of('identity', disabledIdentity(), (by, id) => by(Registry.enableIdentity, { id })),
  disableIdentity: () => of('identity', newIdentity(), (by, id) => by(Registry.disableIdentity, { id })),
  deleteIdentity: () => of('identity', newIdentity(), (by, id) => by(Registry.deleteIdentity, { id, etag: '' })),
  createRole: async () => ({
    type: 'role',
    call: async (by) => (await by(Registry.createRole, { projectId, name: next(), description: '', rules: [] })).id,
  }),
  updateRole: () => of('role', newRole(), (by, id) => by(Registry.updateRole, { id, projectId, description: 'changed', rules: [], etag: '' })),
  deleteRole: () => of('role', newRole(), (by, id) => by(Registry.deleteRole, { id, projectId, etag: '' })),
  createBinding: async () => {
    const identityId = await newIdentity()
    return { type: 'binding', call: async (by) => (await by(Registry.createBinding, { identityId, projectId, roles: viewer })).id }
  },
  updateBinding: () => of('binding', newBinding(), (by, id) => by(Registry.updateBinding, { id, projectId, roles: [forEver('member')], etag: '' })),
  deleteBinding: () => of('binding', newBinding(), (by, id) => by(Registry.deleteBinding, { id, projectId, etag: '' })),
}

async function of(type: string, made: Promise<string>, call: (by: NamedCalls, id: string) => Promise<unknown>): Promise<Audited> {
  const id = await made
  return { type, call: (by) => call(by, id).then(() => id) }
}

async function disabledIdentity(): Promise<string> {
  const id = await newIdentity()
  await admin.registry(Registry.disableIdentity, { id })
  return id
}

const asAdmin = <T>(requestId: string, work: (by: NamedCalls) => Promise<T>) =>
  underRequestId({ address: system.addresses.registry, token: admin.token, requestId }, work)
const eventsOf = (requestId: string) => auditEvents(system.databases.superuserUrl, 'registry', requestId)

describe('the audit trail of identity-registry', () => {
  it.each(Object.entries(mutations))('has exactly one event for %s, with actor, action, target and request id', async (name, prepare) => {
    const { type, call } = await prepare()
    const targetId = await asAdmin(`audited-${name}`, call)
    expect(await eventsOf(`audited-${name}`)).toEqual([
      {
        organization_id: system.admin.organizationId,
        action: name.replace(/^./, (first) => first.toUpperCase()),
        actor_identity_id: system.admin.identityId,
        actor_token_id: admin.tokenId,
        target_type: type,
        target_id: targetId,
        details: expect.any(Object),
      },
    ])
    const row = { table: type, column: 'id', id: targetId }
    expect(await isOneTransaction(system.databases.superuserUrl, 'registry', `audited-${name}`, row)).toBe(true)
  })

  // This one was seen to fail with the event written behind the transaction, the one above with it written beside it.
  it.each(Object.entries(mutations))('is part of the transaction of %s: where there can be no event nothing is changed', async (_name, prepare) => {
    const { call } = await prepare()
    const before = await contentOf(system.databases.superuserUrl, 'registry')
    const refused = withoutAudit(system.databases.superuserUrl, 'registry', () => asAdmin('unaudited', call))
    await expect(refused).rejects.toMatchObject({ kind: 'INTERNAL', reason: 'INTERNAL' })
    expect(await contentOf(system.databases.superuserUrl, 'registry')).toEqual(before)
  })

  it('has no event for what was refused', async () => {
    const id = await newIdentity()
    await expect(asAdmin('refused', (by) => by(Registry.deleteIdentity, { id, etag: admin.tokenId }))).rejects.toMatchObject({ reason: 'ETAG_STALE' })
    const again = asAdmin('refused', (by) => by(Registry.createIdentity, { name: 'admin', role: '' }))
    await expect(again).rejects.toMatchObject({ reason: 'IDENTITY_NAME_TAKEN' })
    expect(await eventsOf('refused')).toEqual([])
  })

  it('has no event for enabling what is active or disabling what is disabled, which change nothing', async () => {
    const id = await newIdentity()
    const before = await contentOf(system.databases.superuserUrl, 'registry')
    await asAdmin('no-change', (by) => by(Registry.enableIdentity, { id }))
    expect(await contentOf(system.databases.superuserUrl, 'registry')).toEqual(before)

    await asAdmin('first', (by) => by(Registry.disableIdentity, { id }))
    await asAdmin('no-change', (by) => by(Registry.disableIdentity, { id }))
    expect(await eventsOf('first')).toHaveLength(1)
    expect(await eventsOf('no-change')).toEqual([])
  })

  it('has no event for reads', async () => {
    await asAdmin('read', (by) => by(Registry.listIdentities, { pageSize: 0, pageToken: '', name: '' }))
    await asAdmin('read', (by) => by(Registry.getOrganization, {}))
    expect(await eventsOf('read')).toEqual([])
  })
})
