import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isId } from '#libs/ids.js'
import { AuthorizationCheckServiceService as Check, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { invalid } from '../identity-registry/expected.js'
import { allow, bindTo, deny, freshNames, type Limited, makeLimited, makeProject, UNKNOWN_ID } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'

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
      const wrong = system.anonymous.check(Check.check, { accessToken: '', projectId: 'x', action: '', resource, consistency: undefined })
      const fields = ['access_token', 'project_id', 'action', 'resource.type', 'resource.attributes[?]', 'resource.attributes[empty]']
      await expect(wrong).rejects.toMatchObject(invalid(...fields))
    })

    it('a question about nothing', async () => {
      const request = { accessToken: admin.token, projectId: '', action: 'read', resource: undefined, consistency: undefined }
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
