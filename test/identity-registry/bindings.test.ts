import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BoundRole } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { bindTo, forEver, freshNames, makeProject, UNKNOWN_ID } from '../support/builders.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { etagStale, identityNotFound, invalid, projectNotFound, roleNotFound } from './expected.js'

let system: System
let admin: Session
let foreign: Session
let foreignIdentityId: string
let projectId: string
let otherProjectId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  const organization = await system.newOrganization()
  foreignIdentityId = organization.identityId
  foreign = await system.session(organization)
  projectId = await makeProject(admin, 'shop')
  otherProjectId = await makeProject(admin, 'warehouse')
})
afterAll(() => system.close())

const next = freshNames('thing')
const newIdentity = async () => (await admin.registry(Registry.createIdentity, { name: next(), role: '' })).id
const newRole = (scope = projectId) => admin.registry(Registry.createRole, { projectId: scope, name: next(), description: '', rules: [] })
const viewer = [forEver('viewer')]
const create = (identityId: string, scope: string, roles = viewer) => asRead('registry', admin.registry(Registry.createBinding, { identityId, projectId: scope, roles }))
const newBinding = async () => create(await newIdentity(), projectId)
const get = (id: string, scope = projectId) => admin.registry(Registry.getBinding, { id, projectId: scope })
const list = (request: { projectId?: string; identityId?: string; pageSize?: number; pageToken?: string } = {}) =>
  admin.registry(Registry.listBindings, { projectId: '', identityId: '', pageSize: 0, pageToken: '', ...request })

const bindingNotFound = { kind: 'NOT_FOUND', reason: 'BINDING_NOT_FOUND' }
const later = (millis: number) => new Date(system.clock.now().getTime() + millis)

/** What is wrong with roles to bind is the same whether they are bound or replace what was bound. */
const wrongRoles: [string, () => BoundRole[], string[]][] = [
  ['no role', () => [], ['roles']],
  ['more than 20', () => Array.from({ length: 21 }, (_, place) => forEver(`r${place}`)), ['roles']],
  ['one role twice', () => [forEver('viewer'), forEver('viewer')], ['roles[1].role']],
  ['a name that can be none', () => [forEver('Viewer')], ['roles[0].role']],
  ['a window that ends as it starts', () => [{ ...forEver('viewer'), startTime: later(HOUR), endTime: later(HOUR) }], ['roles[0].end_time']],
  ['a time that is none', () => [{ ...forEver('viewer'), endTime: new Date(-1000) }], ['roles[0].end_time']],
]

describe('CreateBinding', () => {
  describe('answers', () => {
    it('with the binding, its roles named and windowed as they were given', async () => {
      const [identityId, custom] = [await newIdentity(), await newRole()]
      const window = { ...forEver(custom.name), startTime: later(SECOND), endTime: later(HOUR) }
      const binding = await create(identityId, projectId, [window, forEver('viewer')])
      const now = system.clock.now()
      expect(binding).toEqual({
        id: binding.id,
        organizationId: system.admin.organizationId,
        identityId,
        projectId,
        roles: [{ ...window, roleId: custom.id }, { ...forEver('viewer'), roleId: expect.any(String) }],
        createTime: now,
        updateTime: now,
        etag: binding.etag,
        revision: '',
      })
      const { roles, ...rest } = await get(binding.id)
      expect({ ...rest, roles: new Set(roles) }).toEqual({ ...binding, roles: new Set(binding.roles) })
    })

    it('with a role that the project and the organization both have: each is bound where it belongs', async () => {
      const name = next()
      await admin.registry(Registry.createRole, { projectId: '', name, description: '', rules: [] })
      const inProject = await admin.registry(Registry.createRole, { projectId, name, description: '', rules: [] })
      expect(await create(await newIdentity(), projectId, [forEver(name)])).toMatchObject({ roles: [{ role: name, roleId: inProject.id }] })
    })
  })

  describe('refuses', () => {
    it('an identity that there is not in the organization', async () => {
      for (const id of [UNKNOWN_ID, foreignIdentityId]) await expect(create(id, projectId)).rejects.toMatchObject(identityNotFound)
    })

    it('a project that there is not in the organization', async () => {
      const id = await newIdentity()
      for (const scope of [UNKNOWN_ID, await makeProject(foreign, next())]) await expect(create(id, scope)).rejects.toMatchObject(projectNotFound)
    })

    it('a role that there is not in the scope, and binds none of the others then', async () => {
      const [id, { name }] = [await newIdentity(), await newRole(otherProjectId)]
      for (const role of ['unheard-of', name]) await expect(create(id, projectId, [...viewer, forEver(role)])).rejects.toMatchObject(roleNotFound)
      expect((await list({ projectId, identityId: id })).bindings).toEqual([])
    })

    it('a second binding of an identity in one scope, the organization included', async () => {
      const { identityId } = await newBinding()
      for (const scope of [projectId, '']) {
        await expect(create(identityId, scope)).rejects.toMatchObject({ kind: 'ALREADY_EXISTS', reason: 'BINDING_EXISTS' })
      }
    })

    it.each(wrongRoles)('%s', async (_name, roles, fields) => {
      await expect(create(UNKNOWN_ID, projectId, roles())).rejects.toMatchObject(invalid(...fields))
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(create('x', 'y', [forEver('')])).rejects.toMatchObject(invalid('identity_id', 'project_id', 'roles[0].role'))
    })
  })
})

describe('GetBinding', () => {
  describe('refuses', () => {
    it('an id that there is not in the organization', async () => {
      const [theirs] = (await foreign.registry(Registry.listBindings, { projectId: '', identityId: '', pageSize: 0, pageToken: '' })).bindings
      for (const id of [UNKNOWN_ID, theirs?.id ?? '']) await expect(get(id, '')).rejects.toMatchObject(bindingNotFound)
    })

    it('a binding of another scope than the one that is named', async () => {
      const { id } = await newBinding()
      for (const scope of ['', otherProjectId]) await expect(get(id, scope)).rejects.toMatchObject(bindingNotFound)
    })

    it('what is no id', async () => {
      await expect(get('x', 'y')).rejects.toMatchObject(invalid('id', 'project_id'))
    })
  })
})

describe('ListBindings', () => {
  const ids = ({ bindings }: { bindings: { id: string }[] }) => bindings.map(({ id }) => id)

  describe('answers', () => {
    it('with the bindings of a project in order of creation, page by page', async () => {
      const scope = await makeProject(admin, next())
      const made = ids(await list({ projectId: scope }))
      for (let count = 0; count < 2; count += 1) made.push(await bindTo(admin, await newIdentity(), scope, 'viewer', 'member'))
      const first = await list({ projectId: scope, pageSize: 2 })
      const second = await list({ projectId: scope, pageSize: 2, pageToken: first.nextPageToken })
      expect([ids(first), ids(second)]).toEqual([made.slice(0, 2), made.slice(2)])
      expect(second).toMatchObject({ nextPageToken: '', bindings: [{ roles: [{ role: 'member' }, { role: 'viewer' }] }] })
    })

    it('with the bindings to the organization itself where neither project nor identity is named', async () => {
      await newBinding()
      const { bindings } = await list({ pageSize: 200 })
      expect(bindings.length).toBeGreaterThan(1)
      expect(new Set(bindings.map((binding) => binding.projectId))).toEqual(new Set(['']))
    })

    it('with the bindings of an identity in every scope, or in the project that is named', async () => {
      const { identityId, id } = await newBinding()
      const other = await bindTo(admin, identityId, otherProjectId, 'viewer')
      const { bindings } = await list({ identityId })
      expect(bindings.map((binding) => binding.projectId)).toEqual(['', projectId, otherProjectId])
      expect(ids(await list({ identityId, projectId }))).toEqual([id])
      expect(ids(await list({ identityId, projectId: otherProjectId }))).toEqual([other])
    })
  })

  describe('refuses', () => {
    it('a project or an identity that there is not in the organization', async () => {
      await expect(list({ projectId: await makeProject(foreign, next()) })).rejects.toMatchObject(projectNotFound)
      await expect(list({ identityId: foreignIdentityId })).rejects.toMatchObject(identityNotFound)
    })

    it('a request with everything wrong, naming all of it', async () => {
      const wrong = list({ projectId: 'x', identityId: 'y', pageSize: 201, pageToken: 'z' })
      await expect(wrong).rejects.toMatchObject(invalid('project_id', 'identity_id', 'page_size', 'page_token'))
    })
  })
})

describe('UpdateBinding', () => {
  const update = (id: string, scope = projectId, { etag = '', roles = [forEver('member')] } = {}) =>
    asRead('registry', admin.registry(Registry.updateBinding, { id, projectId: scope, roles, etag }))

  describe('answers', () => {
    it('with the binding, its roles replaced', async () => {
      const before = await newBinding()
      system.clock.advance(SECOND)
      const updated = await update(before.id, projectId, { etag: before.etag })
      const roles = [{ ...forEver('member'), roleId: expect.any(String) }]
      expect(updated).toEqual({ ...before, roles, updateTime: system.clock.now(), etag: updated.etag })
      expect(updated.etag).not.toBe(before.etag)
      expect(await get(before.id)).toEqual(updated)
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the scope that is named', async () => {
      const { id } = await newBinding()
      await expect(update(UNKNOWN_ID)).rejects.toMatchObject(bindingNotFound)
      for (const scope of ['', otherProjectId]) await expect(update(id, scope)).rejects.toMatchObject(bindingNotFound)
    })

    it('a role that there is not in the scope, and leaves the binding as it was', async () => {
      const [before, elsewhere] = [await newBinding(), await newRole(otherProjectId)]
      await expect(update(before.id, projectId, { roles: [forEver('member'), forEver(elsewhere.name)] })).rejects.toMatchObject(roleNotFound)
      expect(await get(before.id)).toEqual(before)
    })

    it('an etag that was overtaken', async () => {
      const { id, etag } = await newBinding()
      await update(id)
      await expect(update(id, projectId, { etag })).rejects.toMatchObject(etagStale)
    })

    it.each(wrongRoles)('%s', async (_name, roles, fields) => {
      await expect(update(UNKNOWN_ID, projectId, { roles: roles() })).rejects.toMatchObject(invalid(...fields))
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(update('x', 'y', { roles: [], etag: 'z' })).rejects.toMatchObject(invalid('id', 'project_id', 'roles', 'etag'))
    })
  })
})

describe('DeleteBinding', () => {
  const remove = (id: string, scope = projectId, etag = '') => asRead('registry', admin.registry(Registry.deleteBinding, { id, projectId: scope, etag }))

  describe('answers', () => {
    it('and the binding is gone, and another can be made', async () => {
      const { id, identityId, etag } = await newBinding()
      await remove(id, projectId, etag)
      await expect(get(id)).rejects.toMatchObject(bindingNotFound)
      expect((await create(identityId, projectId)).id).not.toBe(id)
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the scope that is named', async () => {
      const { id } = await newBinding()
      await expect(remove(UNKNOWN_ID)).rejects.toMatchObject(bindingNotFound)
      for (const scope of ['', otherProjectId]) await expect(remove(id, scope)).rejects.toMatchObject(bindingNotFound)
    })

    it('an etag that was overtaken', async () => {
      const { id, etag } = await newBinding()
      await admin.registry(Registry.updateBinding, { id, projectId, roles: [forEver('member')], etag: '' })
      await expect(remove(id, projectId, etag)).rejects.toMatchObject(etagStale)
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(remove('x', 'y', 'z')).rejects.toMatchObject(invalid('id', 'project_id', 'etag'))
    })
  })
})
