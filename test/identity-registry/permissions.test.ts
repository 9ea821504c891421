import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ListAuditEventsRequest } from '#libs/wire/gen/countersign/audit/v1/audit_event.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { allow, bindTo, deny, forEver, freshNames, type Limited, makeLimited, makeProject } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { notAllowed } from './expected.js'

let system: System
let admin: Session
let limited: Limited
let projectId: string
let identityId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  limited = await makeLimited(system, admin, 'limited')
  projectId = await makeProject(admin, 'standing')
  identityId = (await newIdentity()).id
})
afterAll(() => system.close())

const next = freshNames('thing')
const newIdentity = () => admin.registry(Registry.createIdentity, { name: next(), role: '' })
const newRole = (scope = '') => admin.registry(Registry.createRole, { projectId: scope, name: next(), description: '', rules: [] })
const newBinding = async (scope = projectId) => bindTo(admin, (await newIdentity()).id, scope, 'viewer')

const page = { pageSize: 0, pageToken: '' }
const viewer = [forEver('viewer')]
const id = (thing: { readonly id: string }) => ({ id: thing.id })

type Need = readonly [action: string, resource: string]
/** What gives something passes the escalation guard too, which `gives` makes up for (escalation.test.ts). */
type Row = { readonly needs: readonly [Need, ...Need[]]; readonly gives?: Need; readonly call: (by: Calls) => Promise<unknown> }

// A method that is added has to say here what it needs: without a row this does not compile.
const methods: Record<keyof typeof Registry, Row> = {
  getOrganization: { needs: [['read', 'organization']], call: (by) => by(Registry.getOrganization, {}) },
  updateOrganization: { needs: [['update', 'organization']], call: (by) => by(Registry.updateOrganization, { name: next(), etag: '' }) },
  createProject: { needs: [['create', 'project']], call: (by) => by(Registry.createProject, { name: next() }) },
  getProject: { needs: [['read', 'project']], call: (by) => by(Registry.getProject, { id: projectId }) },
  listProjects: { needs: [['read', 'project']], call: (by) => by(Registry.listProjects, { ...page, name: '' }) },
  updateProject: { needs: [['update', 'project']], call: async (by) => by(Registry.updateProject, { id: projectId, name: next(), etag: '' }) },
  deleteProject: {
    needs: [['delete', 'project']],
    call: async (by) => by(Registry.deleteProject, { id: await makeProject(admin, next()), etag: '' }),
  },
  createIdentity: {
    needs: [['create', 'identity']], gives: ['grant', 'binding'],
    call: (by) => by(Registry.createIdentity, { name: next(), role: 'viewer' }),
  },
  getIdentity: { needs: [['read', 'identity']], call: (by) => by(Registry.getIdentity, { id: identityId }) },
  listIdentities: { needs: [['read', 'identity']], call: (by) => by(Registry.listIdentities, { ...page, name: '' }) },
  updateIdentity: { needs: [['update', 'identity']], call: (by) => by(Registry.updateIdentity, { id: identityId, name: next(), etag: '' }) },
  enableIdentity: { needs: [['update', 'identity']], gives: ['grant', 'identity'], call: (by) => by(Registry.enableIdentity, { id: identityId }) },
  disableIdentity: { needs: [['update', 'identity']], call: async (by) => by(Registry.disableIdentity, id(await newIdentity())) },
  deleteIdentity: { needs: [['delete', 'identity']], call: async (by) => by(Registry.deleteIdentity, { ...id(await newIdentity()), etag: '' }) },
  createRole: { needs: [['create', 'role']], call: (by) => by(Registry.createRole, { projectId: '', name: next(), description: '', rules: [] }) },
  getRole: { needs: [['read', 'role']], call: async (by) => by(Registry.getRole, { ...id(await newRole()), projectId: '' }) },
  listRoles: { needs: [['read', 'role']], call: (by) => by(Registry.listRoles, { ...page, projectId: '' }) },
  updateRole: {
    needs: [['update', 'role']], gives: ['grant', 'role'],
    call: async (by) => by(Registry.updateRole, { ...id(await newRole()), projectId: '', description: '', rules: [], etag: '' }),
  },
  deleteRole: { needs: [['delete', 'role']], call: async (by) => by(Registry.deleteRole, { ...id(await newRole()), projectId: '', etag: '' }) },
  createBinding: {
    needs: [['create', 'binding']], gives: ['grant', 'binding'],
    call: async (by) => by(Registry.createBinding, { identityId: (await newIdentity()).id, projectId, roles: viewer }),
  },
  getBinding: { needs: [['read', 'binding']], call: async (by) => by(Registry.getBinding, { id: await newBinding(), projectId }) },
  listAuditEvents: { needs: [['read', 'audit-log']], call: (by) => by(Registry.listAuditEvents, ListAuditEventsRequest.fromPartial({})) },
  listBindings: { needs: [['read', 'binding']], call: (by) => by(Registry.listBindings, { ...page, projectId: '', identityId: '' }) },
  updateBinding: {
    needs: [['update', 'binding']], gives: ['grant', 'binding'],
    call: async (by) => by(Registry.updateBinding, { id: await newBinding(), projectId, roles: viewer, etag: '' }),
  },
  deleteBinding: { needs: [['delete', 'binding']], call: async (by) => by(Registry.deleteBinding, { id: await newBinding(), projectId, etag: '' }) },
}

const allOf = (needs: readonly Need[], gives?: Need) => [...needs, ...(gives ? [gives] : [])].map(([action, resource]) => allow([action], [resource]))

const rows = Object.entries(methods)
const eachNeed = rows.flatMap(([name, row]) => row.needs.map(([action, resource]) => ({ name, row, action, resource })))

describe('a method of identity-registry', () => {
  it.each(rows)('%s is answered to whoever may do what it needs and nothing else', async (_name, { needs, gives, call }) => {
    await limited.may(...allOf(needs, gives))
    await call(limited.session.registry)
  })

  // Seen to fail for both questions of a method with either of them taken out of its handler.
  it.each(eachNeed)('$name is refused without $action on $resource, whatever else is allowed', async ({ row, action, resource }) => {
    await limited.may(allow(['*'], ['*']), deny([action], [resource]))
    await expect(row.call(limited.session.registry)).rejects.toMatchObject(notAllowed(action, resource))
  })

  it.each(rows)('%s is refused without a token', async (_name, { call }) => {
    await expect(call(system.anonymous.registry)).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_MISSING' })
  })

  it.each(rows)('%s is refused with a token that is good for nothing', async (_name, { call }) => {
    const revoked = callsTo(system.addresses.registry, bearer('not.a.token'))
    try {
      await expect(call(revoked)).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' })
    } finally {
      revoked.close()
    }
  })
})

type InProject = { readonly needs: readonly Need[]; readonly gives?: Need; readonly call: (by: Calls, scope: string) => Promise<unknown> }

const inProject: Record<string, InProject> = {
  getProject: { needs: [['read', 'project']], call: (by, scope) => by(Registry.getProject, { id: scope }) },
  updateProject: { needs: [['update', 'project']], call: (by, scope) => by(Registry.updateProject, { id: scope, name: next(), etag: '' }) },
  createRole: {
    needs: [['create', 'role']],
    call: (by, scope) => by(Registry.createRole, { projectId: scope, name: next(), description: '', rules: [] }),
  },
  getRole: { needs: [['read', 'role']], call: async (by, scope) => by(Registry.getRole, { ...id(await newRole(scope)), projectId: scope }) },
  listRoles: { needs: [['read', 'role']], call: (by, scope) => by(Registry.listRoles, { ...page, projectId: scope }) },
  updateRole: {
    needs: [['update', 'role']], gives: ['grant', 'role'],
    call: async (by, scope) => by(Registry.updateRole, { ...id(await newRole(scope)), projectId: scope, description: '', rules: [], etag: '' }),
  },
  deleteRole: {
    needs: [['delete', 'role']],
    call: async (by, scope) => by(Registry.deleteRole, { ...id(await newRole(scope)), projectId: scope, etag: '' }),
  },
  createBinding: {
    needs: [['create', 'binding']], gives: ['grant', 'binding'],
    call: async (by, scope) => by(Registry.createBinding, { identityId: (await newIdentity()).id, projectId: scope, roles: viewer }),
  },
  getBinding: { needs: [['read', 'binding']], call: async (by, scope) => by(Registry.getBinding, { id: await newBinding(scope), projectId: scope }) },
  listBindings: { needs: [['read', 'binding']], call: (by, scope) => by(Registry.listBindings, { ...page, projectId: scope, identityId: '' }) },
  updateBinding: {
    needs: [['update', 'binding']], gives: ['grant', 'binding'],
    call: async (by, scope) => by(Registry.updateBinding, { id: await newBinding(scope), projectId: scope, roles: viewer, etag: '' }),
  },
  deleteBinding: {
    needs: [['delete', 'binding']],
    call: async (by, scope) => by(Registry.deleteBinding, { id: await newBinding(scope), projectId: scope, etag: '' }),
  },
  // Last: the project is gone after it.
  deleteProject: { needs: [['delete', 'project']], call: (by, scope) => by(Registry.deleteProject, { id: scope, etag: '' }) },
}

const eachInProject = Object.entries(inProject)

describe('a question about a project', () => {
  it.each(eachInProject)('lets %s be answered by the role there, where the organization gives nothing', async (_name, { needs, gives, call }) => {
    const scope = await makeProject(admin, next())
    const rules = allOf(needs, gives)
    const { name } = await admin.registry(Registry.createRole, { projectId: scope, name: next(), description: '', rules })
    await bindTo(admin, limited.identityId, scope, name)
    await limited.may()
    await call(limited.session.registry, scope)
  })

  it.each(eachInProject)('is not answered for %s by a role in another project', async (_name, { needs: [need], call }) => {
    const scope = await makeProject(admin, next())
    await limited.may()
    await bindTo(admin, limited.identityId, await makeProject(admin, next()), 'admin')
    const [action, resource] = need ?? ['', '']
    await expect(call(limited.session.registry, scope)).rejects.toMatchObject(notAllowed(action, resource))
  })

  it.each(eachInProject)('lets %s be answered by the organization, where the role there is not enough', async (_name, { needs, gives, call }) => {
    const scope = await makeProject(admin, next())
    await bindTo(admin, limited.identityId, scope, 'no-access')
    await limited.may(...allOf(needs, gives))
    await call(limited.session.registry, scope)
  })
})
