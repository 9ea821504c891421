import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { bindTo, forEver, freshNames, makeProject, makeWorkload, UNKNOWN_ID } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { etagStale, invalid } from './expected.js'

let system: System
let admin: Session
/** A project of another organization. */
let foreignId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  foreignId = await makeProject(await system.session(await system.newOrganization()), 'foreign')
})
afterAll(() => system.close())

const next = freshNames('project')
const create = (name = next()) => asRead('registry', admin.registry(Registry.createProject, { name }))
const get = (id: string) => admin.registry(Registry.getProject, { id })
const list = (request: { pageSize?: number; pageToken?: string; name?: string } = {}, by = admin) =>
  by.registry(Registry.listProjects, { pageSize: 0, pageToken: '', name: '', ...request })

const projectNotFound = { kind: 'NOT_FOUND', reason: 'PROJECT_NOT_FOUND' }
const nameTaken = { kind: 'ALREADY_EXISTS', reason: 'PROJECT_NAME_TAKEN' }
const absent = () => [UNKNOWN_ID, foreignId]

describe('CreateProject', () => {
  describe('answers', () => {
    it('with the project, which can be read at once', async () => {
      const project = await create('shop')
      const now = system.clock.now()
      const chosen = { id: project.id, organizationId: system.admin.organizationId, createTime: now, updateTime: now, etag: project.etag }
      expect(project).toEqual({ ...chosen, name: 'shop', revision: '' })
      expect(await get(project.id)).toEqual(project)
    })

    it('and binds the caller to it as admin', async () => {
      const { id } = await create()
      const { bindings } = await admin.registry(Registry.listBindings, { projectId: id, identityId: '', pageSize: 0, pageToken: '' })
      const roles = [{ role: 'admin', startTime: undefined, endTime: undefined }]
      expect(bindings).toMatchObject([{ identityId: system.admin.identityId, projectId: id, roles }])
    })

    it('to a name that another organization has', async () => {
      expect(await create('foreign')).toMatchObject({ name: 'foreign' })
    })
  })

  describe('refuses', () => {
    it('a name that a project of the organization has, and makes no binding then', async () => {
      await create('taken')
      const ofAdmin = { projectId: '', identityId: system.admin.identityId, pageSize: 200, pageToken: '' }
      const before = await admin.registry(Registry.listBindings, ofAdmin)
      await expect(create('taken')).rejects.toMatchObject(nameTaken)
      expect(await admin.registry(Registry.listBindings, ofAdmin)).toEqual(before)
    })

    it.each(['', ' a', 'a ', 'a\tb', 'ä', 'a'.repeat(65)])('the name %j', async (name) => {
      await expect(create(name)).rejects.toMatchObject(invalid('name'))
    })
  })
})

describe('GetProject', () => {
  describe('refuses', () => {
    it('an id that there is not in the organization', async () => {
      for (const id of absent()) await expect(get(id)).rejects.toMatchObject(projectNotFound)
    })

    it('what is no id', async () => {
      await expect(get(UNKNOWN_ID.toUpperCase().replace('0', 'F'))).rejects.toMatchObject(invalid('id'))
    })
  })
})

describe('ListProjects', () => {
  describe('answers', () => {
    it('with the projects of the organization in order of creation, page by page', async () => {
      const other = await system.session(await system.newOrganization())
      const made: string[] = []
      for (let count = 0; count < 5; count += 1) made.push(await makeProject(other, `p${5 - count}`))
      const first = await list({ pageSize: 2 }, other)
      const second = await list({ pageSize: 2, pageToken: first.nextPageToken }, other)
      const third = await list({ pageSize: 2, pageToken: second.nextPageToken }, other)
      expect([first, second, third].map(({ projects }) => projects.map(({ id }) => id))).toEqual([made.slice(0, 2), made.slice(2, 4), made.slice(4)])
      expect(third.nextPageToken).toBe('')
      expect(await list({ pageSize: 5 }, other)).toMatchObject({ nextPageToken: '' })
    })

    it('with 50 to a page where no number is given', async () => {
      const other = await system.session(await system.newOrganization())
      await Promise.all(Array.from({ length: 51 }, (_, count) => makeProject(other, `p${count}`)))
      const first = await list({}, other)
      expect(first.projects).toHaveLength(50)
      expect((await list({ pageToken: first.nextPageToken }, other)).projects).toHaveLength(1)
      expect((await list({ pageSize: 200 }, other)).projects).toHaveLength(51)
    })

    it('with the project of exactly the name that is asked for', async () => {
      const project = await create('exactly')
      await create('exactly-not')
      expect(await list({ name: 'exactly' })).toEqual({ projects: [project], nextPageToken: '' })
      expect(await list({ name: 'Exactly' })).toEqual({ projects: [], nextPageToken: '' })
    })
  })

  describe('refuses', () => {
    it.each([-1, 201])('a page of %i', async (pageSize) => {
      await expect(list({ pageSize })).rejects.toMatchObject(invalid('page_size'))
    })

    it('a page token that was never given, together with everything else that is wrong', async () => {
      const forged = Buffer.from('not-an-id').toString('base64url')
      await expect(list({ pageSize: 1000, pageToken: forged, name: ' ' })).rejects.toMatchObject(invalid('page_size', 'page_token', 'name'))
    })
  })
})

describe('UpdateProject', () => {
  const update = (id: string, name: string, etag = '') => asRead('registry', admin.registry(Registry.updateProject, { id, name, etag }))

  describe('answers', () => {
    it('with the renamed project, its update time and a new etag', async () => {
      const before = await create()
      system.clock.advance(SECOND)
      const renamed = await update(before.id, next(), before.etag)
      expect(renamed).toEqual({ ...before, name: renamed.name, updateTime: system.clock.now(), etag: renamed.etag })
      expect([renamed.name, renamed.etag]).not.toEqual([before.name, before.etag])
      expect(await get(before.id)).toEqual(renamed)
    })

    it('to the name that it has', async () => {
      const { id, name } = await create()
      expect(await update(id, name)).toMatchObject({ id, name })
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the organization', async () => {
      for (const id of absent()) await expect(update(id, next())).rejects.toMatchObject(projectNotFound)
    })

    it('a name that another project has', async () => {
      const [{ id }, { name }] = [await create(), await create()]
      await expect(update(id, name)).rejects.toMatchObject(nameTaken)
    })

    it('an etag that was overtaken', async () => {
      const { id, etag } = await create()
      await update(id, next())
      await expect(update(id, next(), etag)).rejects.toMatchObject(etagStale)
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(update('', '', 'x')).rejects.toMatchObject(invalid('id', 'name', 'etag'))
    })
  })
})

describe('DeleteProject', () => {
  const remove = (id: string, etag = '') => asRead('registry', admin.registry(Registry.deleteProject, { id, etag }))

  describe('answers', () => {
    it('and the project is gone, with its roles and all bindings to it', async () => {
      const { id, etag } = await create()
      const { identityId } = await makeWorkload(admin, { name: 'bound' })
      const role = await admin.registry(Registry.createRole, { projectId: id, name: 'custom', description: '', rules: [] })
      const bindingId = await bindTo(admin, identityId, id, 'custom', 'viewer')
      await remove(id, etag)

      await expect(get(id)).rejects.toMatchObject(projectNotFound)
      await expect(admin.registry(Registry.getRole, { id: role.id, projectId: id })).rejects.toMatchObject(projectNotFound)
      await expect(admin.registry(Registry.getRole, { id: role.id, projectId: '' })).rejects.toMatchObject({ reason: 'ROLE_NOT_FOUND' })
      await expect(admin.registry(Registry.getBinding, { id: bindingId, projectId: id })).rejects.toMatchObject({ reason: 'BINDING_NOT_FOUND' })
      const { bindings } = await admin.registry(Registry.listBindings, { projectId: '', identityId, pageSize: 0, pageToken: '' })
      expect(bindings).toMatchObject([{ projectId: '' }])
    })

    it('and its name can be given anew', async () => {
      const { id, name } = await create()
      await remove(id)
      expect((await create(name)).id).not.toBe(id)
    })

    it('and leaves the roles and bindings of other projects alone', async () => {
      const [{ id }, { id: other }] = [await create(), await create()]
      const { identityId } = await makeWorkload(admin, { name: 'elsewhere' })
      const bindingId = await bindTo(admin, identityId, other, 'viewer')
      await remove(id)
      const { roles } = await admin.registry(Registry.getBinding, { id: bindingId, projectId: other })
      expect(roles).toEqual([{ ...forEver('viewer'), roleId: expect.any(String) }])
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the organization', async () => {
      for (const id of absent()) await expect(remove(id)).rejects.toMatchObject(projectNotFound)
    })

    it('an etag that was overtaken', async () => {
      const { id, etag, name } = await create()
      await admin.registry(Registry.updateProject, { id, name, etag: '' })
      await expect(remove(id, etag)).rejects.toMatchObject(etagStale)
      expect(await get(id)).toMatchObject({ id })
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(remove('x', 'y')).rejects.toMatchObject(invalid('id', 'etag'))
    })
  })
})
