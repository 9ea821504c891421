import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isId } from '#libs/ids.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { ROOT } from '../house/planted-tree.js'
import { runTool } from '../house/run-tool.js'
import { allow, bindTo, deny, freshNames, type Limited, makeLimited, makeProject } from '../support/builders.js'
import { type Asked, askAsEnvoy, bearerHeader as bearer, LET_THROUGH, okIn, refused, seenByClient, toldToApplication } from '../support/envoy.js'
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

const ask = ({ extensions = ROUTE, headers, ...asked }: Asked = {}) =>
  askAsEnvoy(system.anonymous.check, { extensions, headers: headers ?? [bearer(limited.session.token)], ...asked })
const seen = async (asked?: Asked) => seenByClient(await ask(asked))

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
    expect(await seen({ extensions, path: `/projects/${projectId}/a/b`, headers: headers('acme') })).toMatchObject(LET_THROUGH)
    expect(await seen({ extensions, path: `/projects/${projectId}/b/b`, headers: headers('acme') })).toMatchObject(refused(403, 'NO_RULE', 'insufficient_scope'))
    expect(await seen({ extensions, path: `/projects/${projectId}/a/b`, headers: headers('other') })).toMatchObject(refused(403, 'NO_RULE', 'insufficient_scope'))
  })
})

describe('tells the filters behind', () => {
  it('of a denial whose it is and which decision, as of an allow', async () => {
    await limited.may()
    const answer = await ask({ path: '/orders/7' })
    expect(answer.httpResponse?.$case).toBe('deniedResponse')
    expect(answer.dynamicMetadata).toEqual({
      identity_id: limited.identityId,
      identity_name: 'limited',
      organization_id: system.admin.organizationId,
      token_id: limited.session.tokenId,
      method: 'universal-auth',
      decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      revision: expect.stringMatching(/^registry\.0\./),
    })
  })
})

describe('tells the application', () => {
  const marks = ['identity', 'identity-name', 'organization', 'decision-id', 'revision'].map((name) => `x-countersign-${name}`)

  // What a client says of itself must not be taken for what we say. Seen to fail without headersToRemove.
  it.each([false, true])('nothing that the client says in our name, headers raw: %s', async (raw) => {
    await limited.may(allow(['*'], ['*']))
    const spoofed = [...marks, 'x-countersign-admin', 'x-countersign-', 'x-countersign-identity-name2', 'X-Countersign-Role'].map((name) => [name, 'spoofed'] as const)
    const answer = await ask({ headers: [bearer(limited.session.token), ...spoofed, ['x-counter', 'kept']], raw })
    expect(okIn(answer)?.headersToRemove).toEqual(['x-countersign-admin', 'x-countersign-', 'x-countersign-identity-name2', 'x-countersign-role'])
    expect(toldToApplication(answer)).toMatchObject({ 'x-countersign-identity': limited.identityId })
    expect(Object.keys(toldToApplication(answer))).toEqual(marks)
    expect(JSON.stringify(answer)).not.toContain('spoofed')
  })

  it('who asked by `authorization` too, unless the route says otherwise', async () => {
    await limited.may(allow(['*'], ['*']))
    for (const [forward, removed] of [[undefined, []], ['true', []], ['false', ['authorization']]] as const) {
      const extensions = { ...ROUTE, ...(forward !== undefined && { 'forward-authorization': forward }) }
      expect(okIn(await ask({ extensions }))?.headersToRemove).toEqual(removed)
    }
  })

  it('the name of an identity in visible ASCII', async () => {
    const named = await makeLimited(system, admin, 'with-a-name')
    const { etag } = await admin.registry(Registry.getIdentity, { id: named.identityId })
    await admin.registry(Registry.updateIdentity, { id: named.identityId, name: 'night shift/2', etag })
    await named.may(allow(['*'], ['*']))
    const answer = await ask({ headers: [bearer(named.session.token)] })
    expect(toldToApplication(answer)['x-countersign-identity-name']).toBe('night%20shift/2')
    expect(answer.dynamicMetadata?.['identity_name']).toBe('night shift/2')
  })

  it('for how long filters may answer so again: within the bound, and as long as the token is good', async () => {
    await system.everywhere(limited.may(allow(['*'], ['*'])))
    const { action, resource } = ROUTE
    const cacheable = async () => Number((await ask({ extensions: { action, resource } })).dynamicMetadata?.['cacheable_for_ms'])
    const first = await cacheable()
    expect(first).toBeGreaterThanOrEqual(0)
    expect(first).toBeLessThanOrEqual(250)
    expect(await Promise.all(Array.from({ length: 20 }, cacheable))).toContainEqual(expect.toSatisfy((millis: number) => millis > 0))
  })
})

describe('refuses', () => {
  it('who shows no token', async () => {
    expect(await seen({ headers: [] })).toMatchObject(refused(401, 'ACCESS_TOKEN_MISSING', ''))
  })

  it.each([false, true])('a credential that is not one token in its one form, headers raw: %s', async (raw) => {
    const { token } = limited.session
    const twice = [bearer(token), bearer(token)] as const
    for (const headers of [twice, [['authorization', token]], [['authorization', `Basic ${token}`]], [['authorization', `Bearer ${token}, x`]], [['authorization', '']]] as const) {
      expect(await seen({ headers, raw })).toMatchObject(refused(401, 'AUTHORIZATION_MALFORMED', 'invalid_request'))
    }
  })

  it('a token that is good for nothing', async () => {
    expect(await seen({ headers: [bearer('not.a.token')] })).toMatchObject(refused(401, 'ACCESS_TOKEN_REJECTED', 'invalid_token'))
  })

  it('a token that was revoked, from the next request on', async () => {
    await limited.may(allow(['*'], ['*']))
    const { accessToken, tokenId } = await system.login(limited)
    expect(await seen({ headers: [bearer(accessToken)] })).toMatchObject(LET_THROUGH)
    await admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })
    expect(await seen({ headers: [bearer(accessToken)] })).toMatchObject(refused(401, 'ACCESS_TOKEN_REJECTED', 'invalid_token'))
  })

  it('a token of a disabled identity, and lets it through once it is enabled', async () => {
    await limited.may(allow(['*'], ['*']))
    await admin.registry(Registry.disableIdentity, { id: limited.identityId })
    expect(await seen()).toMatchObject(refused(401, 'ACCESS_TOKEN_REJECTED', 'invalid_token'))
    await admin.registry(Registry.enableIdentity, { id: limited.identityId })
    expect(await seen()).toMatchObject(LET_THROUGH)
  })

  it('what the roles do not allow, and says by which decision', async () => {
    await limited.may(allow(['*'], ['*']), deny(['delete'], ['orders']))
    const denied = await seen({ method: 'DELETE' })
    expect(denied).toMatchObject(refused(403, 'DENIED_BY_RULE', 'insufficient_scope'))
    expect(isId(denied.body.error.decisionId)).toBe(true)
    await limited.may()
    expect(await seen()).toMatchObject(refused(403, 'NO_RULE', 'insufficient_scope'))
  })

  it('a path that servers read differently', async () => {
    await limited.may(allow(['*'], ['*']))
    for (const path of ['/a/../b', '/a/%2e%2E/b', '//a', '/a;b', '/a%2fb', '/a%5cb', '/a%25b', '/a%00', '/%zz', 'a', '', '*', '/a\\b']) {
      expect([path, await seen({ path })]).toMatchObject([path, refused(403, 'PATH_NOT_CANONICAL')])
    }
  })

  it('a request that does not say what its route asks about', async () => {
    await limited.may(allow(['*'], ['*']))
    const { consistency } = ROUTE
    for (const extensions of [{ action: '{{path.1}}', resource: 'orders' }, { action: 'get', resource: '{{query.type}}' }, { action: 'get', resource: 'orders', project: '{{header.x-project}}' }]) {
      expect(await seen({ extensions: { ...extensions, consistency }, path: '/?type=a&type=b' })).toMatchObject(refused(403, 'REQUEST_NOT_RECOGNIZED'))
    }
  })

  // A header that came twice is nobody's word. Seen to fail with the first of them taken.
  it.each([false, true])('by a header that came twice as by none, headers raw: %s', async (raw) => {
    await limited.may(allow(['*'], ['*']), deny(['get'], ['orders'], { attribute: 'tenant', eq: 'other' }))
    const extensions = { ...ROUTE, 'attribute.tenant': '{{header.x-tenant}}' }
    const by = (...tenants: (string | Buffer)[]) => seen({ extensions, raw, headers: [bearer(limited.session.token), ...tenants.map((tenant) => ['x-tenant', tenant] as const)] })
    expect(await by('acme')).toMatchObject(LET_THROUGH)
    for (const tenants of [['acme', 'other'], ['acme', 'acme'], [], [Buffer.from([0x61, 0xff])]]) expect(await by(...tenants)).toMatchObject(refused(403, 'DENIED_BY_RULE', 'insufficient_scope'))
  })
})


describe('a tool that knows nothing but what reflection says', () => {
  const buf = (...given: string[]) => runTool(ROOT, 'buf', 'curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...given)
  const SERVICE = 'envoy.service.auth.v3.Authorization'

  it('finds the door beside Check, and asks', async () => {
    await limited.may(allow(['get'], ['orders']))
    const url = `http://${system.addresses.check}`
    expect((await buf('--list-services', url)).output.split('\n')).toEqual(expect.arrayContaining([SERVICE, 'countersign.authorization.v1.AuthorizationCheckService']))
    const http = { method: 'GET', path: '/', headers: Object.fromEntries([bearer(limited.session.token)]) }
    const { code, output } = await buf('--data', JSON.stringify({ attributes: { request: { http }, contextExtensions: ROUTE } }), `${url}/${SERVICE}/Check`)
    expect([code, JSON.parse(output)]).toMatchObject([0, { okResponse: { headers: expect.arrayContaining([expect.objectContaining({ header: { key: 'x-countersign-identity', value: limited.identityId } })]) } }])
  })
})
