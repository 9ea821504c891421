import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { Effect, Operator, type Role, type Rule } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { allow, bindTo, deny, freshNames, makeProject, textValue, UNKNOWN_ID } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { etagStale, invalid, projectNotFound, roleNotFound } from './expected.js'

let system: System
let admin: Session
let foreign: Session
let projectId: string
/** A custom role of another organization. */
let foreignRoleId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  foreign = await system.session(await system.newOrganization())
  projectId = await makeProject(admin, 'shop')
  foreignRoleId = (await create({ by: foreign })).id
})
afterAll(() => system.close())

const next = freshNames('role')
type New = { name?: string; scope?: string; rules?: Rule[]; description?: string; by?: Session }
const create = ({ name = next(), scope = '', rules = [], description = '', by = admin }: New = {}) =>
  asRead('registry', by.registry(Registry.createRole, { projectId: scope, name, description, rules }))
const get = (id: string, scope = '', by = admin) => by.registry(Registry.getRole, { id, projectId: scope })
const list = (request: { projectId?: string; pageSize?: number; pageToken?: string } = {}, by = admin) =>
  by.registry(Registry.listRoles, { projectId: '', pageSize: 0, pageToken: '', ...request })

const builtIn = { kind: 'FAILED_PRECONDITION', reason: 'ROLE_BUILT_IN' }
const absent = () => [UNKNOWN_ID, foreignRoleId]
const builtInRoles = async () => [...(await list()).roles, ...(await list({ projectId })).roles].filter((role) => role.builtIn)

const narrowed = [{ attribute: 'path', glob: '/billing/**' }, { attribute: 'environment', in: ['staging', 'production'] }]
const rules: Rule[] = [
  allow(['read', 'list'], ['secrets', 'orders'], ...narrowed),
  deny(['*'], ['*'], { attribute: 'path', eq: '/billing/root' }),
]

describe('CreateRole', () => {
  describe('answers', () => {
    it('with the role and its rules as they were given, which can be read at once', async () => {
      for (const scope of ['', projectId]) {
        const role = await create({ name: 'auditors', scope, rules, description: 'Reads\nbilling.' })
        const now = system.clock.now()
        const chosen = { id: role.id, organizationId: system.admin.organizationId, builtIn: false, createTime: now, updateTime: now, etag: role.etag }
        expect(role).toEqual({ ...chosen, projectId: scope, name: 'auditors', description: 'Reads\nbilling.', rules, revision: '', warnings: [] })
        expect(await get(role.id, scope)).toEqual(role)
      }
    })
  })

  describe('refuses', () => {
    it('a name that a role of the same organization or project has, a built-in one included', async () => {
      for (const scope of ['', projectId]) {
        const { name } = await create({ scope })
        for (const taken of [name, 'admin', 'member', 'viewer', 'no-access']) {
          await expect(create({ name: taken, scope })).rejects.toMatchObject({ kind: 'ALREADY_EXISTS', reason: 'ROLE_NAME_TAKEN' })
        }
      }
    })

    it('a project that there is not in the organization', async () => {
      for (const scope of [UNKNOWN_ID, await makeProject(foreign, next())]) await expect(create({ scope })).rejects.toMatchObject(projectNotFound)
    })

    it.each(['', 'Admin', '1st', 'a b', 'a_b', 'a'.repeat(65)])('the name %j', async (name) => {
      await expect(create({ name })).rejects.toMatchObject(invalid('name'))
    })

    it('rules that can not be, naming each fault at its place', async () => {
      const condition = { attribute: 'path', operator: Operator.EQ, values: [textValue('a')] }
      const conditions = [
        { ...condition, attribute: '' },
        { ...condition, operator: Operator.UNSPECIFIED },
        { ...condition, values: [] },
        { ...condition, operator: Operator.GLOB, values: [textValue('{a')] },
        { ...condition, operator: Operator.IN, values: [textValue('')] },
      ]
      const faulty: Rule[] = [
        { effect: Effect.UNSPECIFIED, resources: [], actions: ['*', 'read'], conditions: [] },
        { ...allow(['Read'], ['secrets']), conditions },
      ]
      const at = (place: number, field: string) => `rules[1].conditions[${place}].${field}`
      const fields = ['rules[0].effect', at(1, 'operator'), 'rules[0].resources', 'rules[0].actions', 'rules[1].actions[0]']
      const places = [at(0, 'attribute'), at(2, 'values'), at(3, 'values[0]'), at(4, 'values[0]')]
      await expect(create({ rules: faulty })).rejects.toMatchObject(invalid(...fields, ...places))
    })

    it('more than there may be of anything', async () => {
      const many = (count: number) => Array.from({ length: count }, (_, place) => `w${place}`)
      const reads = (...conditions: string[][]) => allow(['read'], ['*'], ...conditions.map((values) => ({ attribute: 'path', in: values })))
      await expect(create({ rules: Array.from({ length: 101 }, () => allow(['read'], ['secrets'])) })).rejects.toMatchObject(invalid('rules'))
      await expect(create({ rules: [allow(many(51), many(51))] })).rejects.toMatchObject(invalid('rules[0].resources', 'rules[0].actions'))
      await expect(create({ rules: [reads(...many(21).map((value) => [value]))] })).rejects.toMatchObject(invalid('rules[0].conditions'))
      await expect(create({ rules: [reads(many(101))] })).rejects.toMatchObject(invalid('rules[0].conditions[0].values'))
      await expect(create({ rules: [reads(['x'.repeat(1001)])] })).rejects.toMatchObject(invalid('rules[0].conditions[0].values[0]'))
      await expect(create({ description: 'x'.repeat(501) })).rejects.toMatchObject(invalid('description'))
    })
  })
})

describe('GetRole', () => {
  describe('answers', () => {
    it('with the built-in roles, whose ids are the same in every organization and project', async () => {
      const theirs = await makeProject(foreign, next())
      for (const role of await builtInRoles()) {
        expect(await get(role.id, role.projectId)).toEqual(role)
        const same = await get(role.id, role.projectId && theirs, foreign)
        expect(same).toEqual({ ...role, organizationId: same.organizationId, projectId: role.projectId && theirs })
      }
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the organization', async () => {
      for (const id of absent()) await expect(get(id)).rejects.toMatchObject(roleNotFound)
    })

    it('a role of another scope than the one that is named', async () => {
      const [ofOrganization, ofProject] = [await create(), await create({ scope: projectId })]
      await expect(get(ofOrganization.id, projectId)).rejects.toMatchObject(roleNotFound)
      await expect(get(ofProject.id)).rejects.toMatchObject(roleNotFound)
      for (const role of await builtInRoles()) await expect(get(role.id, role.projectId === '' ? projectId : '')).rejects.toMatchObject(roleNotFound)
    })
  })
})

describe('ListRoles', () => {
  const names = ({ roles }: { roles: Role[] }) => roles.map(({ name }) => name)
  const BUILT_IN = ['admin', 'member', 'viewer', 'no-access']

  describe('answers', () => {
    it('with the built-in roles first, on the first page and beyond its size, then custom ones in order of creation', async () => {
      const scope = await makeProject(admin, next())
      for (const name of ['z', 'a', 'm']) await create({ name, scope })
      const first = await list({ projectId: scope, pageSize: 2 })
      const second = await list({ projectId: scope, pageSize: 2, pageToken: first.nextPageToken })
      expect([first, second].map(names)).toEqual([[...BUILT_IN, 'z', 'a'], ['m']])
      expect(second.nextPageToken).toBe('')
      expect(first.roles.map((role) => role.builtIn)).toEqual([true, true, true, true, false, false])
    })

    it('with the roles of the organization where no project is named', async () => {
      const other = await system.session(await system.newOrganization())
      await create({ name: 'theirs', scope: await makeProject(other, 'theirs'), by: other })
      await create({ name: 'ours', by: other })
      expect(names(await list({}, other))).toEqual([...BUILT_IN, 'ours'])
    })
  })

  describe('refuses', () => {
    it('a project that there is not in the organization', async () => {
      const theirs = await makeProject(foreign, next())
      for (const scope of [UNKNOWN_ID, theirs]) await expect(list({ projectId: scope })).rejects.toMatchObject(projectNotFound)
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(list({ projectId: 'x', pageSize: -1, pageToken: 'y' })).rejects.toMatchObject(invalid('project_id', 'page_size', 'page_token'))
    })
  })
})

describe('UpdateRole', () => {
  const update = (id: string, scope = '', { etag = '', description = '', given = rules } = {}) =>
    asRead('registry', admin.registry(Registry.updateRole, { id, projectId: scope, description, rules: given, etag }))

  describe('answers', () => {
    it('with the role, its description and rules replaced', async () => {
      const before = await create({ rules: [allow(['read'], ['*'])], description: 'old', scope: projectId })
      system.clock.advance(SECOND)
      const updated = await update(before.id, projectId, { etag: before.etag, description: 'new' })
      expect(updated).toEqual({ ...before, description: 'new', rules, updateTime: system.clock.now(), etag: updated.etag })
      expect(updated.etag).not.toBe(before.etag)
      expect(await get(before.id, projectId)).toEqual(updated)
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the scope that is named', async () => {
      const { id } = await create({ scope: projectId })
      for (const gone of [id, ...absent()]) await expect(update(gone)).rejects.toMatchObject(roleNotFound)
    })

    it('every built-in role, which stays as it is', async () => {
      const before = await builtInRoles()
      expect(before).toHaveLength(8)
      for (const { id, projectId: scope } of before) await expect(update(id, scope)).rejects.toMatchObject(builtIn)
      expect(await builtInRoles()).toEqual(before)
    })

    it('an etag that was overtaken', async () => {
      const { id, etag } = await create()
      await update(id)
      await expect(update(id, '', { etag })).rejects.toMatchObject(etagStale)
    })

    it('a request with everything wrong, naming all of it', async () => {
      const faulty = [allow(['Read'], ['secrets'])]
      const wrong = update('x', 'y', { etag: 'z', description: '\u0000', given: faulty })
      await expect(wrong).rejects.toMatchObject(invalid('id', 'project_id', 'description', 'rules[0].actions[0]', 'etag'))
    })
  })
})

describe('DeleteRole', () => {
  const remove = (id: string, scope = '', etag = '') => asRead('registry', admin.registry(Registry.deleteRole, { id, projectId: scope, etag }))

  describe('answers', () => {
    it('and the role is gone, and its name can be given anew', async () => {
      const { id, name, etag } = await create({ scope: projectId })
      await remove(id, projectId, etag)
      await expect(get(id, projectId)).rejects.toMatchObject(roleNotFound)
      expect((await create({ name, scope: projectId })).id).not.toBe(id)
    })
  })

  describe('refuses', () => {
    it('an id that there is not in the scope that is named', async () => {
      const { id } = await create({ scope: projectId })
      for (const gone of [id, ...absent()]) await expect(remove(gone)).rejects.toMatchObject(roleNotFound)
    })

    it('every built-in role', async () => {
      for (const { id, projectId: scope } of await builtInRoles()) await expect(remove(id, scope)).rejects.toMatchObject(builtIn)
    })

    it('a role that a binding uses, until that binding is gone', async () => {
      const role = await create({ scope: projectId })
      const bindingId = await bindTo(admin, (await admin.registry(Registry.createIdentity, { name: next(), role: '' })).id, projectId, role.name)
      await expect(remove(role.id, projectId)).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'ROLE_IN_USE' })
      await admin.registry(Registry.deleteBinding, { id: bindingId, projectId, etag: '' })
      await remove(role.id, projectId)
    })

    it('an etag that was overtaken', async () => {
      const { id, etag } = await create()
      await admin.registry(Registry.updateRole, { id, projectId: '', description: '', rules, etag: '' })
      await expect(remove(id, '', etag)).rejects.toMatchObject(etagStale)
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(remove('x', 'y', 'z')).rejects.toMatchObject(invalid('id', 'project_id', 'etag'))
    })
  })
})
