import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isId } from '#libs/ids.js'
import { toRuleMessage } from '#libs/rpc/rule-message.js'
import { AuthorizationCheckServiceService as Check, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Value } from '#libs/wire/gen/countersign/rules/v1/value.js'
import { parseAttributes } from '../../cli/attributes.js'
import { parseRules } from '../../cli/rules.js'
import { invalid } from '../identity-registry/expected.js'
import { allow, bindTo, deny, freshNames, type Limited, makeLimited, makeProject, textValue as text, UNKNOWN_ID } from '../support/builders.js'
import { FULL, type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session
let limited: Limited

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  limited = await makeLimited(system, admin, 'limited')
})
afterAll(() => system.close())

const next = freshNames('thing')
const ask = (action: string, resource: string, attributes: Record<string, string> = {}) =>
  system.check(limited.session.token, action, resource, { attributes })
const list = (...values: Value[]): Value => ({ kind: { $case: 'listValue', value: { values } } })
const noRule = { allowed: false, reason: DecisionReason.NO_RULE, rule: undefined }
const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }

describe('Check', () => {
  describe('answers', () => {
    it('with the decision, the rule that made it, and whose token it was', async () => {
      await limited.may(allow(['list'], ['secrets']), allow(['read'], ['secrets', 'orders']))
      const decision = await ask('read', 'secrets')
      expect(decision).toEqual({
        allowed: true,
        reason: DecisionReason.ALLOWED_BY_RULE,
        rule: { roleId: decision.rule?.roleId, role: 'limited', ruleIndex: 1 },
        identityId: limited.identityId,
        identityName: 'limited',
        organizationId: system.admin.organizationId,
        tokenId: limited.session.tokenId,
        tokenExpireTime: new Date((Math.floor(system.clock.now().getTime() / 1000) + 3600) * 1000),
        decisionId: decision.decisionId,
        revision: expect.stringMatching(/^registry\.0\.[0-9a-f]{16}\.\d+,exchange\.0\.[0-9a-f]{16}\.\d+$/),
        stalenessBoundMillis: 250,
        useLimited: false,
      })
      expect([decision.rule?.roleId ?? '', decision.decisionId].map(isId)).toEqual([true, true])
      expect((await ask('read', 'secrets')).decisionId).not.toBe(decision.decisionId)
    })

    it('no, as an answer, where no rule speaks of it', async () => {
      await limited.may(allow(['read'], ['secrets']))
      for (const [action, resource] of [['write', 'secrets'], ['read', 'secretsx'], ['rea', 'secrets'], ['read', 'secret']] as const) {
        expect(await ask(action, resource)).toMatchObject({ ...noRule, identityId: limited.identityId })
      }
    })

    // Seen to fail with allows asked before denies.
    it('no, where a rule denies what others allow, in whatever order and of whichever role', async () => {
      const projectId = await makeProject(admin, next())
      for (const [name, rules] of [['denies', [deny(['delete'], ['*'])]], ['allows', [allow(['*'], ['*'])]]] as const) {
        await admin.registry(Registry.createRole, { projectId, name, description: '', rules: [...rules] })
      }
      await bindTo(admin, limited.identityId, projectId, 'denies', 'allows')
      const check = (action: string) => system.check(limited.session.token, action, 'secrets', { projectId })
      expect(await check('read')).toMatchObject({ allowed: true, rule: { role: 'allows' } })
      expect(await check('delete')).toMatchObject({ allowed: false, reason: DecisionReason.DENIED_BY_RULE, rule: { role: 'denies', ruleIndex: 0 } })

      await limited.may(allow(['*'], ['*']), deny(['delete'], ['secrets']))
      expect(await ask('delete', 'secrets')).toMatchObject({ allowed: false, rule: { ruleIndex: 1 } })
      expect(await ask('delete', 'orders')).toMatchObject({ allowed: true, rule: { ruleIndex: 0 } })
    })

    it('by attributes, all of whose conditions must hold; a missing one allows nothing and denies', async () => {
      const where = [{ attribute: 'path', glob: '/a/*/c' }, { attribute: 'environment', in: ['staging', 'production'] }]
      const at = (path: string, environment: string) => ({ path, environment })
      await limited.may(allow(['read'], ['secrets'], ...where))
      expect(await ask('read', 'secrets', at('/a/b/c', 'staging'))).toMatchObject({ allowed: true })
      for (const attributes of [at('/a/b/d/c', 'staging'), at('/a/b/c', 'test'), { path: '/a/b/c' }]) {
        expect(await ask('read', 'secrets', attributes)).toMatchObject(noRule)
      }

      await limited.may(allow(['*'], ['*']), deny(['read'], ['secrets'], ...where))
      expect(await ask('read', 'secrets', at('/a/b/c', 'test'))).toMatchObject({ allowed: true })
      for (const attributes of [at('/a/b/c', 'staging'), { path: '/a/b/c' }, {}]) {
        expect(await ask('read', 'secrets', attributes)).toMatchObject({ allowed: false, reason: DecisionReason.DENIED_BY_RULE })
      }
    })

    it('by every operator, every type, the context and who asks', async () => {
      const conditions = [
        { attribute: 'owner', operator: 'eq', values: ['{{identity.name}}'] },
        { attribute: 'level', operator: 'not_in', values: [3, 4] },
        { attribute: 'locked', operator: 'ne', values: [true] },
        { attribute: 'made', operator: 'in', values: [{ time: '2026-01-31T00:00:00.000Z' }] },
        { attribute: 'path', operator: 'glob', values: ['/home/{{identity.name}}/**'] },
        { attribute: 'tags', operator: 'not_glob', values: ['secret-*'] },
        { attribute: 'context.ip', operator: 'cidr', values: ['10.0.0.0/8'] },
        { attribute: 'draft', operator: 'exists', values: [false] },
      ]
      await limited.may(...parseRules(JSON.stringify([{ resources: ['files'], actions: ['read'], conditions }]), 'the test').map(toRuleMessage))
      const good = ['owner=limited', 'level:=2', 'locked:=false', 'made:={"time":"2026-01-31T01:00:00+01:00"}', 'path=/home/x/../limited//notes', 'tags:=["a","b"]']
      const read = (attributes: readonly string[], ip = '::ffff:10.1.2.3') => {
        const context = parseAttributes('--context', [`ip:={"ip":"${ip}"}`])
        const resource = { type: 'files', attributes: parseAttributes('--attribute', attributes) }
        return system.anonymous.check(Check.check, { accessToken: limited.session.token, projectId: '', action: 'read', resource, consistency: FULL, context, sourceAddress: '' })
      }
      expect(await read(good)).toMatchObject({ allowed: true })
      expect(await read(good, '11.0.0.1')).toMatchObject(noRule)
      for (const bad of ['owner=other', 'level:=3', 'level=2', 'locked:=true', 'made:={"time":"2026-01-31T01:00:00Z"}', 'path=/home/other/notes', 'tags:=["a","secret-b"]', 'tags:=[]', 'draft:=false']) {
        expect([bad, await read([...good, bad])]).toMatchObject([bad, noRule])
      }
    })

    it('with nothing that the organization allows where a project is asked about, and the other way round', async () => {
      const projectId = await makeProject(admin, next())
      await bindTo(admin, limited.identityId, projectId, 'viewer')
      await limited.may(allow(['write'], ['secrets']))
      const inProject = (action: string) => system.check(limited.session.token, action, 'secrets', { projectId })
      expect([await inProject('read'), await inProject('write'), await ask('read', 'secrets'), await ask('write', 'secrets')]).toMatchObject([
        { allowed: true },
        noRule,
        noRule,
        { allowed: true },
      ])
    })

    it('no, about a project that there is not, or of another organization', async () => {
      const other = await system.session(await system.newOrganization())
      for (const projectId of [UNKNOWN_ID, await makeProject(other, next())]) {
        expect(await system.check(admin.token, 'read', 'secrets', { projectId })).toMatchObject(noRule)
      }
    })
  })

  // What else makes a token good for nothing is in journeys/revoked-access-stops.test.ts.
  describe('refuses', () => {
    it('text that is no token of ours', async () => {
      for (const text of ['x', `${admin.token} `, 'a'.repeat(4096)]) {
        await expect(system.check(text, 'read', 'secrets')).rejects.toMatchObject(rejected)
      }
    })

    it('a request with everything wrong, naming all of it', async () => {
      const attributes = { 'Bad Name': { kind: { $case: 'stringValue' as const, value: 'x' } }, empty: { kind: undefined } }
      const resource = { type: 'Secrets', attributes }
      const wrong = system.anonymous.check(Check.check, { accessToken: '', projectId: 'x', action: '', resource, consistency: undefined, context: {}, sourceAddress: '10.0.0.0/8' })
      const fields = ['access_token', 'project_id', 'action', 'resource.type', 'resource.attributes[?]', 'source_address']
      await expect(wrong).rejects.toMatchObject(invalid('resource.attributes[empty]', ...fields))
    })

    it.each<[string, Value, string]>([
      ['a path that services could read differently', text('/a%2fb'), 'path'],
      ['a path in a list that leads above its root', list(text('/a'), text('/../b')), 'path'],
      ['an address that is none', { kind: { $case: 'ipValue', value: '010.0.0.1' } }, 'ip'],
      ['a number that is none', { kind: { $case: 'numberValue', value: NaN } }, 'level'],
      ['a list of lists', list(list()), 'tags'],
      ['a list of two types', list(text('a'), { kind: { $case: 'numberValue', value: 1 } }), 'tags'],
      ['a list that is too long', list(...Array.from({ length: 101 }, () => text('a'))), 'tags'],
      ['a list with a text that is too long', list(text('x'.repeat(4097))), 'tags'],
    ])('%s, in the resource and in the context', async (_what, value, name) => {
      const asked = { accessToken: admin.token, projectId: '', action: 'read', consistency: undefined }
      const inResource = system.anonymous.check(Check.check, { ...asked, resource: { type: 'secrets', attributes: { [name]: value } }, context: {}, sourceAddress: '' })
      await expect(inResource).rejects.toMatchObject(invalid(`resource.attributes[${name}]`))
      const inContext = system.anonymous.check(Check.check, { ...asked, resource: { type: 'secrets', attributes: {} }, context: { [name]: value }, sourceAddress: '' })
      await expect(inContext).rejects.toMatchObject(invalid(`context[${name}]`))
    })

    it('an attribute of the resource that would pass for one of the request', async () => {
      const resource = { type: 'secrets', attributes: { 'context.ip': text('10.0.0.1') } }
      const asked = { accessToken: admin.token, projectId: '', action: 'read', resource, consistency: undefined, context: {}, sourceAddress: '' }
      await expect(system.anonymous.check(Check.check, asked)).rejects.toMatchObject(invalid('resource.attributes[context.ip]'))
    })

    it('more attributes than there may be, together with those of the context', async () => {
      const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_none, at) => [`a${at}`, text('x')]))
      const asked = (context: number) => ({ accessToken: admin.token, projectId: '', action: 'read', resource: { type: 'secrets', attributes: many(25) }, consistency: undefined, context: many(context), sourceAddress: '' })
      await expect(system.anonymous.check(Check.check, asked(25))).resolves.toMatchObject({ allowed: true })
      await expect(system.anonymous.check(Check.check, asked(26))).rejects.toMatchObject(invalid('resource.attributes'))
    })

    it('a question about nothing', async () => {
      const request = { accessToken: admin.token, projectId: '', action: 'read', resource: undefined, consistency: undefined, context: {}, sourceAddress: '' }
      await expect(system.anonymous.check(Check.check, request)).rejects.toMatchObject(invalid('resource'))
    })

    it('more than there may be of anything', async () => {
      const many = Object.fromEntries(Array.from({ length: 51 }, (_, place) => [`a${place}`, 'x']))
      await expect(system.check('x'.repeat(4097), 'a'.repeat(65), 'secrets')).rejects.toMatchObject(invalid('access_token', 'action'))
      await expect(ask('read', 'secrets', many)).rejects.toMatchObject(invalid('resource.attributes'))
      await expect(ask('read', 'secrets', { path: 'x'.repeat(4097) })).rejects.toMatchObject(invalid('resource.attributes[path]'))
    })
  })
})
