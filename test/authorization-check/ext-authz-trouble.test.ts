import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Closing } from '#libs/lifecycle.js'
import { digestOf } from '#libs/rpc/service-credential.js'
import { CheckRequest } from '#libs/wire/gen/envoy/service/auth/v3/external_auth.js'
import { NO_MESSAGES } from '../support/bad-requests.js'
import { allow, type Limited, makeLimited } from '../support/builders.js'
import { asService, bearer, callsTo } from '../support/calls.js'
import { checkOnNetwork } from '../support/confined-services.js'
import { type Asked, askAsEnvoy, bearerHeader, LET_THROUGH, refused, requestOf, seenByClient, troubled } from '../support/envoy.js'
import { rawCallsTo } from '../support/raw-calls.js'
import { until } from '../support/running-processes.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'

// What is no decision is told as trouble, to which a proxy applies its failure mode: it is never an allow, and never a denial
// over which a client would throw its token away.

const SECRET = 'of-an-envoy-that-exists-in-tests-only'
const PATH = '/envoy.service.auth.v3.Authorization/Check'
/** What Envoy waits where nothing else is said. */
const ENVOY_MILLIS = 200

let system: System
let admin: Session
let limited: Limited
let toExchange: TcpProxy
/** Where others can reach it, where only this machine can, and one that reaches auth-exchange through a proxy. */
let [network, socket, cutOff] = ['', '', '']
const closing = new Closing()

beforeAll(async () => {
  system = await startSystem()
  closing.add(() => system.close())
  admin = await system.session(system.admin)
  limited = await makeLimited(system, admin, 'limited')
  toExchange = await startTcpProxy({ target: system.addresses.exchangeInternal })
  closing.add(() => toExchange.close())
  const scratch = await scratchDirectory()
  closing.add(() => scratch.remove())
  const start = async (environment: Record<string, string>) => {
    const replica = await checkOnNetwork(system, environment)
    closing.add(() => replica.close())
    return replica.address
  }
  const caller = (name: string, method: string) => ({ name, digests: [digestOf(SECRET)], methods: [method], organizations: [system.admin.organizationId], projects: ['*'] })
  network = await start({ INTERNAL_CALLERS: JSON.stringify([caller('envoy', PATH), caller('another', '/countersign.authorization.v1.AuthorizationCheckService/*')]) })
  const path = join(scratch.path, 'check.sock')
  await start({ CHECK_SOCKET: path })
  socket = `unix:${path}`
  cutOff = await start({ HOST: '127.0.0.1', EXCHANGE_INTERNAL_ADDRESS: toExchange.address })
})
afterAll(() => closing.close())
beforeEach(() => system.everywhere(limited.may(allow(['get'], ['orders']), allow(['check'], ['authorization']))))

type At = Asked & { readonly as?: Record<string, string>; readonly within?: number }

async function seenAt(address: string, { as = {}, within, extensions = { action: '{{method}}', resource: 'orders' }, headers, ...asked }: At = {}) {
  const calls = callsTo(address, as)
  try {
    return seenByClient(await askAsEnvoy(calls, { extensions, headers: headers ?? [bearerHeader(limited.session.token)], ...asked }, within))
  } finally {
    calls.close()
  }
}

const ofAnother = async () => bearerHeader((await system.login(await system.newOrganization())).accessToken)

describe('on this machine, over loopback and a Unix socket', () => {
  it('anybody may ask, about tokens of any organization', async () => {
    for (const address of [system.addresses.check, socket]) {
      expect(await seenAt(address)).toMatchObject(LET_THROUGH)
      expect(await seenAt(address, { method: 'POST' })).toMatchObject(refused(403, 'NO_RULE', 'insufficient_scope'))
      expect(await seenAt(address, { method: 'POST', headers: [await ofAnother()] })).toMatchObject(LET_THROUGH)
    }
  })
})

// Whatever is trouble here because of who asks was seen to be answered with every listener taken for a local one.
describe('on a network', () => {
  it('a proxy asks by its service credential, or by a token that may check, about its own organization', async () => {
    for (const as of [asService('envoy', SECRET), bearer(limited.session.token)]) {
      expect(await seenAt(network, { as })).toMatchObject(LET_THROUGH)
      expect(await seenAt(network, { as, headers: [await ofAnother()] })).toMatchObject(refused(401, 'ACCESS_TOKEN_REJECTED', 'invalid_token'))
    }
  })

  it('a principal of an organization that the proxy may not ask about is nobody', async () => {
    const { organizationId } = await system.newOrganization()
    const extensions = { action: '{{method}}', resource: 'orders', organization: organizationId }
    expect(await seenAt(network, { as: asService('envoy', SECRET), extensions, headers: [], principal: 'spiffe://any' })).toMatchObject(refused(401, 'PRINCIPAL_REJECTED', ''))
  })

  it.each<[string, () => Record<string, string>, string]>([
    ['shows nothing', () => ({}), 'CALLER_TOKEN_REJECTED'],
    ['shows a token that is good for nothing', () => bearer('not.a.token'), 'CALLER_TOKEN_REJECTED'],
    ['shows a wrong secret', () => asService('envoy', 'x'.repeat(32)), 'SERVICE_CREDENTIAL_REJECTED'],
    ['shows the credential of a service for another method', () => asService('another', SECRET), 'SERVICE_NOT_ALLOWED'],
  ])('that the proxy %s is trouble, and no word about the client', async (_what, as, reason) => {
    expect(await seenAt(network, { as: as() })).toMatchObject(troubled(500, reason))
  })

  it('that the proxy may not check is trouble, too', async () => {
    await system.everywhere(limited.may(allow(['get'], ['orders'])))
    expect(await seenAt(network, { as: bearer(limited.session.token) })).toMatchObject(troubled(500, 'CHECK_NOT_ALLOWED'))
  })
})

describe('while auth-exchange cannot be reached', () => {
  // A denial would be a lie, and no answer at all would leave Envoy to its timeout. Seen to fail with refusals left to gRPC.
  it.each(['blackhole', 'cut'] as const)('nothing is decided, and Envoy hears of it before it gives up; afterwards all is as before: %s', async (mode) => {
    const calls = callsTo(cutOff)
    const extensions = { action: '{{method}}', resource: 'orders' }
    const asked = async (millis: number) => seenByClient(await askAsEnvoy(calls, { extensions, headers: [bearerHeader(limited.session.token)] }, millis))
    expect(await asked(10_000)).toMatchObject(LET_THROUGH)
    toExchange[mode]()
    // A machine that is busy may be late now and then, so it is asked until it was in time.
    let seen = await asked(10_000)
    await until(async () => {
      seen = await asked(ENVOY_MILLIS).catch(() => seen)
      return seen.trouble
    })
    expect(seen).toMatchObject(troubled(503, expect.stringMatching(/^(OUT_OF_TIME|LEASE_LAPSED|PEER_UNAVAILABLE)$/)))
    toExchange.pass()
    await until(async () => !(await asked(10_000)).trouble)
    expect(await asked(10_000)).toMatchObject(LET_THROUGH)
    calls.close()
  })
})

describe('a route that is misconfigured', () => {
  it.each<[string, Record<string, string>]>([
    ['resource must be set; resources is nothing that a route can say', { action: 'read', resources: 'orders' }],
    ['action has a placeholder that there is not, at character 1', { action: '{{identity.id}}', resource: 'orders' }],
    ['consistency must be bounded or full', { action: 'read', resource: 'orders', consistency: 'eventual' }],
    ['action must be set; resource must be set', {}],
  ])('is trouble whatever the request is, and the log says: %s', async (problem, extensions) => {
    for (const headers of [undefined, []]) {
      expect(await seenAt(system.addresses.check, { extensions, ...(headers && { headers }), path: '/a/../b' })).toMatchObject(troubled(500, 'ROUTE_MISCONFIGURED'))
    }
    expect(system.logged()).toContain(JSON.stringify(problem))
  })
})

describe('bytes', () => {
  const calls = () => rawCallsTo(system.addresses.check)

  it('that are no message are refused by a status, and nothing else is', async () => {
    const raw = calls()
    for (const [what, bytes] of NO_MESSAGES) expect([what, (await raw.call(PATH, bytes)).code]).toEqual([what, status.INVALID_ARGUMENT])
    for (const bytes of [Buffer.alloc(0), Buffer.from(CheckRequest.encode(CheckRequest.fromPartial({ attributes: { contextExtensions: { action: 'read', resource: 'orders' } } })).finish())]) {
      const { code, answer } = await raw.call(PATH, bytes)
      expect(code).toBe(status.OK)
      expect(answer?.toString('latin1')).toContain('ROUTE_MISCONFIGURED')
    }
    raw.close()
  })

  // An Envoy that knows field 5 reads it from there: its tag, its length, and the message behind whatever else there is.
  it('of trouble end with field 5, as Envoy knows it', async () => {
    const raw = calls()
    const { answer } = await raw.call(PATH, CheckRequest.encode(requestOf({ extensions: { action: 'Read', resource: 'orders' } })).finish())
    raw.close()
    const bytes = answer ?? Buffer.alloc(0)
    // The status comes first: its tag, and its length in one byte.
    expect(bytes[0]).toBe(0x0a)
    const behind = bytes.subarray(2 + (bytes[1] ?? 0))
    expect(behind[0]).toBe(0x2a)
    expect((behind[1] ?? 0) % 128 + (behind[2] ?? 0) * 128).toBe(behind.length - 3)
  })
})
