import { connect } from 'node:http2'
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { ORDERS, type Seen, valuesOf } from '../support/applications.js'
import { allow, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { envoyForTests } from '../support/envoy-program.js'
import { realKeyOf, unknownTokens } from '../support/forged-tokens.js'
import { guardApplication, type GuardedApplication, workloadThat } from '../support/guarded-application.js'
import { until } from '../support/running-processes.js'
import type { WebRequest } from '../support/web-client.js'
import { manyRequests } from './many-requests.js'
import { oddPaths } from './odd-paths.js'

// deploy/envoy/envoy.yaml, an authorization-check on a Unix socket, and applications that answer everything: what gets through.

const program = await envoyForTests()

const OURS = ['x-countersign-identity', 'x-countersign-identity-name', 'x-countersign-organization', 'x-countersign-decision-id', 'x-countersign-revision']

describe.runIf(program)('behind Envoy', () => {
  let world: GuardedApplication
  let workload: Workload
  let token: string

  beforeAll(async () => {
    world = await guardApplication(program ?? '')
    const made = await workloadThat(world, 'buyer', allow(['get', 'post'], ['orders', 'payouts', 'archive']), allow(['placeorder'], ['orders-api'], { attribute: 'service', eq: 'shop.Orders' }))
    workload = made
    token = made.token
  })
  afterAll(() => world.close())

  const bearing = (presented: string, more: WebRequest['headers'] = {}) => ({ headers: { ...more, authorization: `Bearer ${presented}` } })
  const send = (target: string, request?: WebRequest) => world.send(target, request)
  const statusOf = async (presented: string, target = '/orders/1') => (await send(target, bearing(presented))).status
  /** What reached the application since it was asked last. */
  const reached = (): Seen[] => world.application.seen.splice(0)
  const errorIn = (body: string): unknown => Object(JSON.parse(body)).error

  it('an allowed request reaches the application, with who it is from', async () => {
    expect(await send('/orders/1?page=2', bearing(token, { cookie: 'a=b' }))).toMatchObject({ status: 200, body: 'from the application' })
    const [seen] = reached()
    expect(seen).toMatchObject({ method: 'GET', target: '/orders/1?page=2' })
    const told = OURS.map((name) => (seen ? valuesOf(seen, name) : []))
    expect(told).toEqual([[workload.identityId], ['buyer'], [world.system.admin.organizationId], [expect.stringMatching(/^[0-9a-f-]{36}$/)], [expect.stringMatching(/./)]])
    expect(seen && valuesOf(seen, 'authorization')).toEqual([`Bearer ${token}`])
    expect(seen && valuesOf(seen, 'cookie')).toEqual(['a=b'])
  })

  it('a denied one does not, and is told why by whom', async () => {
    const answer = await send('/orders/1', { ...bearing(token), method: 'DELETE' })
    expect(answer).toMatchObject({ status: 403, headers: { 'www-authenticate': 'Bearer realm="countersign", error="insufficient_scope"', 'content-type': 'application/json', 'cache-control': 'no-store' } })
    expect(errorIn(answer.body)).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'NO_RULE', decisionId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(reached()).toEqual([])
  })

  it.each<[string, string, string | string[] | undefined]>([
    ['no token', '', undefined],
    ['two tokens', ', error="invalid_request"', ['Bearer TOKEN', 'Bearer TOKEN']],
    ['two tokens, one of them good for nothing', ', error="invalid_request"', ['Bearer no.token.here', 'Bearer TOKEN']],
    ['two tokens joined', ', error="invalid_request"', 'Bearer TOKEN, Bearer TOKEN'],
    ['another scheme', ', error="invalid_request"', 'Basic TOKEN'],
    ['an empty header', ', error="invalid_request"', ''],
    ['something that is no token', ', error="invalid_token"', 'Bearer no.token.here'],
    ['a token of nobody', ', error="invalid_token"', 'Bearer UNKNOWN'],
    ['a forged token', ', error="invalid_token"', 'Bearer FORGED'],
  ])('401 for %s', async (_what, error, shown) => {
    const [unknown = '', forged = ''] = unknownTokens(await realKeyOf(world.system), token, UNKNOWN_ID)
    const filled = (text: string) => text.replaceAll('TOKEN', token).replace('UNKNOWN', unknown).replace('FORGED', forged)
    const authorization = typeof shown === 'string' ? filled(shown) : shown?.map(filled)
    const answer = await send('/orders/1', authorization === undefined ? {} : { headers: { authorization } })
    expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': `Bearer realm="countersign"${error}` } })
    expect(errorIn(answer.body)).toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(reached()).toEqual([])
  })

  it('a token is good for its own organization alone', async () => {
    const stranger = await world.system.session(await world.system.newOrganization())
    expect(await statusOf(stranger.token)).toBe(403)
    expect(reached()).toEqual([])
  })

  // An application believes these headers: whoever could send them would be whom they like. Seen to fail without
  // early_header_mutation_extensions, on the route that is open to everybody.
  it.each([
    ['/orders/1', OURS],
    ['/archive/1', OURS],
    ['/healthz', []],
  ])('no header of ours comes from a client: %s', async (target, ours) => {
    const spellings = OURS.flatMap((name) => [name, name.toUpperCase(), name.replace('x-c', 'X-C')])
    const spoofed = Object.fromEntries([...spellings, 'x-countersign-', 'X-Countersign-Admin', 'x-envoy-auth-failure-mode-allowed'].map((name) => [name, ['spoofed', 'spoofed too']]))
    await send(target, { headers: { ...spoofed, authorization: `Bearer ${token}`, connection: OURS.join(', ') } })
    const [seen, ...more] = reached()
    expect([seen?.target, ...more]).toEqual([target])
    const arrived = (seen?.headers ?? []).filter(([name]) => name.startsWith('x-countersign') || name.startsWith('x-envoy-auth'))
    expect(arrived.map(([name]) => name).toSorted()).toEqual([...ours].toSorted())
    expect(JSON.stringify(seen)).not.toContain('spoofed')
  })

  it('nor one that many an application takes for one of ours', async () => {
    expect((await send('/healthz', { headers: { x_countersign_identity: 'spoofed' } })).status).toBe(400)
    expect(reached()).toEqual([])
  })

  it('over HTTP/2 no less', async () => {
    const session = connect(`http://${world.envoy.address}`)
    const stream = session.request({ ':path': '/orders/2', authorization: `Bearer ${token}`, 'x-countersign-identity': 'spoofed', 'x-countersign-other': 'spoofed' })
    const status = await new Promise((done) => stream.once('response', (headers) => done(headers[':status'])))
    session.destroy()
    expect(status).toBe(200)
    const [seen] = reached()
    expect(seen && valuesOf(seen, 'x-countersign-identity')).toEqual([workload.identityId])
    expect(JSON.stringify(seen)).not.toContain('spoofed')
  })

  it('a route may keep the token from the application', async () => {
    expect(await statusOf(token, '/payouts/1')).toBe(200)
    const [seen] = reached()
    expect(seen && valuesOf(seen, 'authorization')).toEqual([])
    expect(seen && valuesOf(seen, 'x-countersign-identity')).toEqual([workload.identityId])
  })

  it('the health of the application is for everybody, and nothing beside it', async () => {
    expect((await send('/healthz')).status).toBe(200)
    expect(reached()).toHaveLength(1)
    for (const target of ['/healthz/', '/healthz/../orders', '/healthz/x', '/HEALTHZ', '/healthz%2f..%2forders', '/healthz;x']) expect((await send(target)).status, target).not.toBe(200)
    expect(reached()).toEqual([])
  })

  it('the access log has who it was, and which decision', async () => {
    await send('/orders/3?secret=1', bearing(token))
    const [seen] = reached()
    const line = () => world.envoy.accessLog().find(({ path }) => path === '/orders/3')
    await until(async () => line() !== undefined)
    expect(line()).toMatchObject({ identity_id: workload.identityId, identity_name: 'buyer', organization_id: world.system.admin.organizationId, status: 200 })
    expect(seen && valuesOf(seen, 'x-countersign-decision-id')).toEqual([line()?.['decision_id']])
    expect(world.envoy.output()).not.toContain(token)
  })

  it('the access log has who was denied, and by which decision', async () => {
    const { body } = await send('/orders/denied', { ...bearing(token), method: 'DELETE' })
    const line = () => world.envoy.accessLog().find(({ path }) => path === '/orders/denied')
    await until(async () => line() !== undefined)
    expect(line()).toMatchObject({ identity_id: workload.identityId, organization_id: world.system.admin.organizationId, status: 403 })
    expect(errorIn(body)).toMatchObject({ decisionId: line()?.['decision_id'] })
  })

  describe('for gRPC', () => {
    let client: Client
    beforeAll(() => {
      client = new Client(world.envoy.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
    })
    afterAll(() => client.close())

    function call(path: string, headers: Record<string, string> = {}): Promise<number> {
      const metadata = Metadata.fromHttp2Headers(headers)
      const same = (bytes: Buffer) => bytes
      return new Promise((done) => {
        client.makeUnaryRequest(path, same, same, Buffer.from('an order'), metadata, { deadline: Date.now() + 10_000 }, (error: ServiceError | null) => done(error?.code ?? 0))
      })
    }

    it('asks about service and method, and answers in the statuses of gRPC', async () => {
      const authorization = `Bearer ${token}`
      expect(await call(ORDERS.placeOrder.path, { authorization, 'x-countersign-identity': 'spoofed' })).toBe(0)
      const [seen] = world.grpcApplication.seen.splice(0)
      expect(seen && valuesOf(seen, 'x-countersign-identity')).toEqual([workload.identityId])
      expect(await call(ORDERS.cancelOrder.path, { authorization })).toBe(7)
      expect(await call('/shop.Other/PlaceOrder', { authorization })).toBe(7)
      expect(await call(ORDERS.placeOrder.path)).toBe(16)
      expect(await call(ORDERS.placeOrder.path, { authorization: 'Bearer no.token.here' })).toBe(16)
      expect(world.grpcApplication.seen).toEqual([])
    })
  })

  describe('in odd spellings', () => oddPaths(() => world))

  describe('under load', () => manyRequests(() => world))

  // What is changed is known at every check from when WaitForRevision answers, which is the bound.
  describe('after a change', () => {
    it('a revoked token is refused', async () => {
      const { accessToken, tokenId } = await world.system.login(workload)
      expect(await statusOf(accessToken)).toBe(200)
      await world.system.everywhere(world.admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } }))
      expect(await statusOf(accessToken)).toBe(401)
    })

    it('where a route may not wait for it, at the very next request', async () => {
      const { accessToken, tokenId } = await world.system.login(workload)
      expect(await statusOf(accessToken, '/payouts/1')).toBe(200)
      await world.admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })
      expect(await statusOf(accessToken, '/payouts/1')).toBe(401)
    })

    it('a role that was taken away allows nothing', async () => {
      const made = await workloadThat(world, 'leaver', allow(['get'], ['orders']))
      expect(await statusOf(made.token)).toBe(200)
      await world.system.everywhere(world.admin.registry(Registry.deleteBinding, { id: made.bindingId, projectId: world.projectId, etag: '' }))
      expect(await statusOf(made.token)).toBe(403)
    })
  })
})
