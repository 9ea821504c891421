import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isId } from '#libs/ids.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { allow, bindTo, deny, freshNames, type Limited, makeLimited, makeProject } from '../support/builders.js'
import { type Asked, askAsEnvoy, okIn, seenByClient, toldToApplication } from '../support/envoy.js'
import { type Session, startSystem, type System } from '../support/system.js'

// The door that proxies ask (envoy.service.auth.v3): what it answers, and what an application may believe of it.

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

/** Where nothing is said, what was changed before the request counts. */
const ROUTE = { action: '{{method}}', resource: 'orders', consistency: 'full' }
const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const

const ask = ({ extensions = ROUTE, headers, ...asked }: Asked = {}) =>
  askAsEnvoy(system.anonymous.check, { extensions, headers: headers ?? [bearer(limited.session.token)], ...asked })
const seen = async (asked?: Asked) => seenByClient(await ask(asked))

const ALLOWED = { grpc: 0, trouble: false, http: 200 }
const refused = (http: number, reason: string, challenge?: string) => ({
  grpc: http === 401 ? 16 : 7,
  trouble: false,
  http,
  headers: { ...(challenge !== undefined && { 'www-authenticate': challenge }), 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: { error: { code: http === 401 ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED', reason } },
})
const realm = 'Bearer realm="countersign"'

describe('lets through', () => {
  it('what the roles of the token allow, and says whose it was', async () => {
    await limited.may(allow(['get'], ['orders']))
    const answer = await ask({ path: '/orders/7?expand=1' })
    const told = toldToApplication(answer)
    const id = told['x-countersign-decision-id'] ?? ''
    expect(isId(id)).toBe(true)
    expect(told).toEqual({
      'x-countersign-identity': limited.identityId,
      'x-countersign-identity-name': 'limited',
      'x-countersign-organization': system.admin.organizationId,
      'x-countersign-decision-id': id,
      'x-countersign-revision': expect.stringMatching(/^registry\.0\.[0-9a-f]{16}\.\d+,exchange\.0\.[0-9a-f]{16}\.\d+$/),
    })
    expect(okIn(answer)?.headers).toEqual(Object.entries(told).map(([key, value]) => expect.objectContaining({ header: expect.objectContaining({ key, value }), append: false, appendAction: 2 })))
    expect(answer.dynamicMetadata).toEqual({
      identity_id: limited.identityId,
      identity_name: 'limited',
      organization_id: system.admin.organizationId,
      token_id: limited.session.tokenId,
      method: 'universal-auth',
      decision_id: id,
      revision: told['x-countersign-revision'],
      cacheable_for_ms: 0,
    })
  })

  it('by the project, the attributes and the context that the route reads from the request', async () => {
    const projectId = await makeProject(admin, next())
    const role = await admin.registry(Registry.createRole, {
      projectId,
      name: 'reader',
      description: '',
      rules: [allow(['get'], ['files'], { attribute: 'path', glob: '/a/*' }, { attribute: 'context.tenant', eq: 'acme' })],
    })
    await bindTo(admin, limited.identityId, projectId, role.name)
    const extensions = { action: '{{method}}', resource: 'files', project: '{{path.2}}', 'attribute.path': '/{{path.3}}/{{path.4}}', 'context.tenant': '{{header.x-tenant}}', consistency: 'full' }
    const headers = (tenant: string) => [bearer(limited.session.token), ['x-tenant', tenant]] as const
    expect(await seen({ extensions, path: `/projects/${projectId}/a/b`, headers: headers('acme') })).toMatchObject(ALLOWED)
    expect(await seen({ extensions, path: `/projects/${projectId}/b/b`, headers: headers('acme') })).toMatchObject(refused(403, 'NO_RULE'))
    expect(await seen({ extensions, path: `/projects/${projectId}/a/b`, headers: headers('other') })).toMatchObject(refused(403, 'NO_RULE'))
  })
})

describe('refuses', () => {
  it('who shows no token', async () => {
    expect(await seen({ headers: [] })).toMatchObject(refused(401, 'ACCESS_TOKEN_MISSING', realm))
  })

  it.each([false, true])('a credential that is not one token in its one form, headers raw: %s', async (raw) => {
    const { token } = limited.session
    const twice = [bearer(token), bearer(token)] as const
    for (const headers of [twice, [['authorization', token]], [['authorization', `Basic ${token}`]], [['authorization', `Bearer ${token}, x`]], [['authorization', '']]] as const) {
      expect(await seen({ headers, raw })).toMatchObject(refused(401, 'AUTHORIZATION_MALFORMED', `${realm}, error="invalid_request"`))
    }
  })

  it('a token that is good for nothing', async () => {
    expect(await seen({ headers: [bearer('not.a.token')] })).toMatchObject(refused(401, 'ACCESS_TOKEN_REJECTED', `${realm}, error="invalid_token"`))
  })

  it('what the roles do not allow, and says by which decision', async () => {
    await limited.may(allow(['*'], ['*']), deny(['delete'], ['orders']))
    const denied = await seen({ method: 'DELETE' })
    expect(denied).toMatchObject(refused(403, 'DENIED_BY_RULE', `${realm}, error="insufficient_scope"`))
    expect(isId(denied.body.error.decisionId)).toBe(true)
    await limited.may()
    expect(await seen()).toMatchObject(refused(403, 'NO_RULE', `${realm}, error="insufficient_scope"`))
  })

  it('a path that servers read differently', async () => {
    await limited.may(allow(['*'], ['*']))
    for (const path of ['/a/../b', '/a/%2e%2E/b', '//a', '/a;b', '/a%2fb', '/a%5cb', '/a%25b', '/a%00', '/%zz', 'a', '', '*', '/a\\b']) {
      expect([path, await seen({ path })]).toMatchObject([path, refused(403, 'PATH_NOT_CANONICAL')])
    }
  })

  it('a request that does not say what its route asks about', async () => {
    expect(await seen({ extensions: { action: '{{path.1}}', resource: 'orders' }, path: '/' })).toMatchObject(refused(403, 'REQUEST_NOT_RECOGNIZED'))
  })
})

describe('in trouble, it neither allows nor denies', () => {
  it('where the route is misconfigured, and the log says how', async () => {
    const answer = await seen({ extensions: { action: 'read', resources: 'orders' } })
    expect(answer).toMatchObject({ grpc: 13, trouble: true, http: 500, body: { error: { code: 'INTERNAL', reason: 'ROUTE_MISCONFIGURED' } } })
    expect(system.logged()).toContain('resource must be set; resources is nothing that a route can say')
  })
})
