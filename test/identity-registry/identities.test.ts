import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { allow, freshNames, type Limited, makeLimited, makeProject, makeWorkload, UNKNOWN_ID } from '../support/builders.js'
import { MINUTE, SECOND } from '../support/manual-clock.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { escalation, etagStale, identityNotFound, invalid, notAllowed, roleNotFound } from './expected.js'

let system: System
let admin: Session
let limited: Limited
/** The admin of another organization. */
let foreignId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  limited = await makeLimited(system, admin, 'limited')
  foreignId = (await system.newOrganization()).identityId
})
afterAll(() => system.close())

const next = freshNames('identity')
const create = (name = next(), role = '', by = admin) => asRead('registry', by.registry(Registry.createIdentity, { name, role }))
const get = (id: string, by = admin) => by.registry(Registry.getIdentity, { id })
const bindingsOf = async (identityId: string) =>
  (await admin.registry(Registry.listBindings, { projectId: '', identityId, pageSize: 0, pageToken: '' })).bindings

const nameTaken = { kind: 'ALREADY_EXISTS', reason: 'IDENTITY_NAME_TAKEN' }
const absent = () => [UNKNOWN_ID, foreignId]

describe('CreateIdentity', () => {
  describe('answers', () => {
    it('with the active identity, which can be read at once', async () => {
      const identity = await create('billing / v2.0_a-b')
      const now = system.clock.now()
      const chosen = { id: identity.id, organizationId: system.admin.organizationId, createTime: now, updateTime: now, etag: identity.etag }
      expect(identity).toEqual({ ...chosen, name: 'billing / v2.0_a-b', state: IdentityState.ACTIVE, revision: '' })
      expect(await get(identity.id)).toEqual(identity)
    })

    it.each([['', 'no-access'], ['viewer', 'viewer'], ['limited', 'limited']])('to the role %j with a binding as %s', async (asked, role) => {
      const { id } = await create(next(), asked)
      expect(await bindingsOf(id)).toMatchObject([{ identityId: id, projectId: '', roles: [{ role, startTime: undefined, endTime: undefined }] }])
    })

    it('to a name that another organization has', async () => {
      const other = await system.session(await system.newOrganization())
      const { name } = await create()
      expect(await create(name, '', other)).toMatchObject({ name })
    })

    it.each(['', 'no-access', 'limited'])('with a role that gives nothing the caller has not, here %j', async (role) => {
      await limited.may(allow(['create'], ['identity']))
      expect(await create(next(), role, limited.session)).toMatchObject({ state: IdentityState.ACTIVE })
    })
  })

  describe('refuses', () => {
    it.each(['admin', 'viewer'])('the role %s to a caller who holds less, and makes no identity then', async (role) => {
      await limited.may(allow(['create'], ['identity']))
      const name = next()
      await expect(create(name, role, limited.session)).rejects.toMatchObject(escalation)
      await create(name)
    })

    it('a name that an identity of the organization has', async () => {
      const { name } = await create()
      await expect(create(name)).rejects.toMatchObject(nameTaken)
    })

    it('a role that the organization does not have, and makes no identity then', async () => {
      const projectId = await makeProject(admin, 'with-roles')
      await admin.registry(Registry.createRole, { projectId, name: 'only-there', description: '', rules: [] })
      for (const role of ['unheard-of', 'only-there']) await expect(create('roleless', role)).rejects.toMatchObject(roleNotFound)
      expect(await create('roleless')).toMatchObject({ name: 'roleless' })
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(create(' ', 'Admin')).rejects.toMatchObject(invalid('name', 'role'))
    })
  })
})

describe('GetIdentity', () => {
  describe('answers', () => {
    it('to an identity about itself, whatever its roles are', async () => {
      await limited.may()
      expect(await get(limited.identityId, limited.session)).toMatchObject({ id: limited.identityId, name: 'limited' })
    })
  })

  describe('refuses', () => {
    it('an identity that may not read others, whether they exist or not', async () => {
      await limited.may()
      const mayNot = notAllowed('read', 'identity')
      for (const id of [system.admin.identityId, ...absent()]) await expect(get(id, limited.session)).rejects.toMatchObject(mayNot)
    })

    it('an id that there is not in the organization', async () => {
      for (const id of absent()) await expect(get(id)).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'IDENTITY_NOT_FOUND' })
    })

    it('what is no id', async () => {
      await expect(get('6e1d1a6e-0000-4000-8000-000000000000')).rejects.toMatchObject(invalid('id'))
    })
  })
})

describe('ListIdentities', () => {
  const list = (request: { pageSize?: number; pageToken?: string; name?: string } = {}, by = admin) =>
    by.registry(Registry.listIdentities, { pageSize: 0, pageToken: '', name: '', ...request })

  describe('answers', () => {
    it('with the identities of the organization in order of creation, page by page', async () => {
      const organization = await system.newOrganization()
      // The admin chose its own id, by a clock that goes on.
      system.clock.advance(MINUTE)
      const other = await system.session(organization)
      const made = [organization.identityId]
      for (const name of ['z', 'a', 'm']) made.push((await create(name, '', other)).id)
      const first = await list({ pageSize: 3 }, other)
      const second = await list({ pageSize: 3, pageToken: first.nextPageToken }, other)
      expect([first, second].map(({ identities }) => identities.map(({ id }) => id))).toEqual([made.slice(0, 3), made.slice(3)])
      expect(second.nextPageToken).toBe('')
    })

    it('with the identity of exactly the name that is asked for', async () => {
      const identity = await create('exactly')
      await create('exactly-not')
      expect(await list({ name: 'exactly' })).toEqual({ identities: [identity], nextPageToken: '' })
      expect(await list({ name: 'exact' })).toEqual({ identities: [], nextPageToken: '' })
    })
  })

  describe('refuses', () => {
    it('a request with everything wrong, naming all of it', async () => {
      await expect(list({ pageSize: 201, pageToken: 'x', name: '\n' })).rejects.toMatchObject(invalid('page_size', 'page_token', 'name'))
    })
  })
})

describe('UpdateIdentity', () => {
  const update = (id: string, name: string, etag = '') => asRead('registry', admin.registry(Registry.updateIdentity, { id, name, etag }))

  describe('answers', () => {
    it('with the renamed identity, its update time and a new etag', async () => {
      const before = await create()
      system.clock.advance(SECOND)
      const renamed = await update(before.id, next(), before.etag)
      expect(renamed).toEqual({ ...before, name: renamed.name, updateTime: system.clock.now(), etag: renamed.etag })
      expect(renamed.etag).not.toBe(before.etag)
      expect(await get(before.id)).toEqual(renamed)
    })

    it('and a disabled identity stays disabled', async () => {
      const { id } = await create()
      await admin.registry(Registry.disableIdentity, { id })
      expect(await update(id, next())).toMatchObject({ state: IdentityState.DISABLED })
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the organization', async () => {
      for (const id of absent()) await expect(update(id, next())).rejects.toMatchObject(identityNotFound)
    })

    it('a name that another identity has', async () => {
      const { id } = await create()
      await expect(update(id, 'limited')).rejects.toMatchObject(nameTaken)
    })

    it('an etag that was overtaken, by a rename or by disabling', async () => {
      const { id, etag } = await create()
      const disabled = await admin.registry(Registry.disableIdentity, { id })
      await expect(update(id, next(), etag)).rejects.toMatchObject(etagStale)
      await update(id, next())
      await expect(update(id, next(), disabled.etag)).rejects.toMatchObject(etagStale)
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(update('', '', 'x')).rejects.toMatchObject(invalid('id', 'name', 'etag'))
    })
  })
})

describe.each([
  ['EnableIdentity', Registry.enableIdentity, IdentityState.ACTIVE],
  ['DisableIdentity', Registry.disableIdentity, IdentityState.DISABLED],
] as const)('%s', (_name, method, state) => {
  const set = (id: string) => asRead('registry', admin.registry(method, { id }))
  describe('answers', () => {
    it('with the identity in its new state, and again with the same identity unchanged', async () => {
      const { id } = await create()
      await admin.registry(method === Registry.enableIdentity ? Registry.disableIdentity : Registry.enableIdentity, { id })
      const before = await get(id)
      system.clock.advance(SECOND)
      const changed = await set(id)
      expect(changed).toEqual({ ...before, state, updateTime: system.clock.now(), etag: changed.etag })
      expect(changed.etag).not.toBe(before.etag)
      system.clock.advance(SECOND)
      expect(await set(id)).toEqual(changed)
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the organization', async () => {
      for (const id of absent()) await expect(set(id)).rejects.toMatchObject(identityNotFound)
    })

    it('what is no id', async () => {
      await expect(set('x')).rejects.toMatchObject(invalid('id'))
    })
  })
})

describe('DeleteIdentity', () => {
  const remove = (id: string, etag = '') => asRead('registry', admin.registry(Registry.deleteIdentity, { id, etag }))

  describe('answers', () => {
    it('and the identity is gone, with all its bindings', async () => {
      const { identityId } = await makeWorkload(admin, { name: 'doomed', role: 'viewer' })
      const [binding] = await bindingsOf(identityId)
      await remove(identityId, (await get(identityId)).etag)
      await expect(get(identityId)).rejects.toMatchObject(identityNotFound)
      const gone = admin.registry(Registry.getBinding, { id: binding?.id ?? '', projectId: '' })
      await expect(gone).rejects.toMatchObject({ reason: 'BINDING_NOT_FOUND' })
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the organization, or not any more', async () => {
      const { id } = await create()
      await remove(id)
      for (const gone of [id, ...absent()]) await expect(remove(gone)).rejects.toMatchObject(identityNotFound)
    })

    it('an etag that was overtaken', async () => {
      const { id, etag } = await create()
      await admin.registry(Registry.disableIdentity, { id })
      await expect(remove(id, etag)).rejects.toMatchObject(etagStale)
      expect(await get(id)).toMatchObject({ id })
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(remove('x', 'y')).rejects.toMatchObject(invalid('id', 'etag'))
    })
  })
})
