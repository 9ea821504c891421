import { describe, expect, it } from 'vitest'
import { answerRequest, type Asked, type Door } from './answer-request.js'
import type { Token } from './fresh-token.js'
import type { View } from './keeper.js'

const token: Token = { accessToken: 'a.b.c', tokenId: 't', identityId: 'i', organizationId: 'o', lifeMillis: 3_600_000, origin: 'login', spareMillis: undefined }
const good: View = { token, remainingMillis: 90_500, isReady: true, reason: undefined, retryInMillis: 60_000 }
const without: View = { token: undefined, remainingMillis: 0, isReady: false, reason: 'CREDENTIALS_REJECTED', retryInMillis: 11_200 }

const headers = { host: ['127.0.0.1:8081'], 'countersign-agent': ['true'] }
const ask = (asked: Partial<Asked> = {}, view = good, door: Door = 'loopback') => answerRequest({ method: 'GET', url: '/token', headers, ...asked }, { view, door, wallMillis: 0 })
const withHeaders = (more: Asked['headers'], door: Door = 'loopback') => ask({ headers: { ...headers, ...more } }, good, door)
const refused = (status: number, reason: string) => ({ status, body: { error: { reason } } })

describe('GET /token', () => {
  it('tells the token, whose it is, and how long it is good by the clock of this machine', () => {
    const body = { accessToken: 'a.b.c', tokenType: 'Bearer', expireTime: '1970-01-01T00:01:30.500Z', expiresInSeconds: 90, tokenId: 't', identityId: 'i', organizationId: 'o' }
    expect(ask()).toEqual({ status: 200, headers: {}, body })
  })

  it('says when to come again where there is none, and why', () => {
    expect(ask({}, without)).toMatchObject({ ...refused(503, 'CREDENTIALS_REJECTED'), headers: { 'retry-after': '12' } })
    expect(ask({}, { ...without, retryInMillis: -5 })).toMatchObject({ headers: { 'retry-after': '1' } })
  })

  // A server that fetches what it is told to can't add a header, and a page in a browser would need our leave to: seen to fail
  // without the test of the header.
  it.each([[undefined], [[]], [['']], [['false']], [['true', 'true']], [['true, true']], [['TRUE']]])('refuses the header %j', (value) => {
    expect(withHeaders({ 'countersign-agent': value })).toMatchObject(refused(403, 'HEADER_REQUIRED'))
    expect(withHeaders({ 'countersign-agent': value }, 'socket')).toMatchObject(refused(403, 'HEADER_REQUIRED'))
  })
})

// A name of an attacker that leads to 127.0.0.1 makes a page of theirs ours to the browser: seen to fail without isOurHost.
describe('the Host header', () => {
  it.each(['127.0.0.1', '127.0.0.1:8081', '127.9.9.9:1', 'localhost', 'LOCALHOST:80', '[::1]', '[::1]:8081'])('%s is ours', (host) => {
    expect(withHeaders({ host: [host] }).status).toBe(200)
  })

  it.each([
    [undefined], [[]], [['']], [['evil.example:8081']], [['127.0.0.1.evil.example']], [['localhost.evil.example']], [['127.0.0.1', '127.0.0.1']], [['evil.example@127.0.0.1']],
    [['127.0.0.1:8081/']], [['127.1']], [['2130706433']], [['0.0.0.0:8081']], [['::1']], [['[127.0.0.1]']], [['localhost.']], [['169.254.169.254']], [['127.0.0.1, evil.example']],
  ])('%j is not', (host) => {
    for (const url of ['/token', '/ready', '/live', '/']) expect(ask({ url, headers: { ...headers, host } })).toMatchObject(refused(403, 'HOST_NOT_LOOPBACK'))
  })

  it('means nothing on a socket, which is guarded by its folder', () => {
    expect(withHeaders({ host: ['anything'] }, 'socket').status).toBe(200)
    expect(withHeaders({ host: undefined }, 'socket').status).toBe(200)
  })
})

describe('any request', () => {
  it.each(['x-forwarded-for', 'forwarded', 'via', 'origin'])('with %s comes from somebody else', (name) => {
    expect(withHeaders({ [name]: ['x'] })).toMatchObject(refused(403, 'NOT_ASKED_DIRECTLY'))
  })

  it.each(['HEAD', 'POST', 'PUT', 'OPTIONS', 'CONNECT', undefined])('must be a GET: %s is not', (method) => {
    expect(ask({ method })).toMatchObject({ ...refused(405, 'METHOD_NOT_ALLOWED'), headers: { allow: 'GET' } })
  })

  it.each(['/', '/token/', '/token?x=1', '//token', '/Token', '/%74oken', 'http://127.0.0.1/token', '*', undefined])('must be for a path that there is: %s is none', (url) => {
    expect(ask({ url })).toMatchObject(refused(404, 'NO_SUCH_PATH'))
  })

  it('is never allowed to a page: no answer has a header of CORS', () => {
    const answers = [ask(), ask({ method: 'OPTIONS' }), withHeaders({ origin: ['http://evil.example'] })]
    expect(answers.flatMap((answer) => Object.keys(answer.headers)).filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('probes', () => {
  it('need no header, since they tell no secret', () => {
    const probe = (url: string, view: View) => ask({ url, headers: { host: ['localhost'] } }, view)
    expect(probe('/ready', good)).toEqual({ status: 200, headers: {}, body: { ready: true, reason: undefined } })
    expect(probe('/ready', without)).toEqual({ status: 503, headers: { 'retry-after': '12' }, body: { ready: false, reason: 'CREDENTIALS_REJECTED' } })
    expect(probe('/live', without)).toEqual({ status: 200, headers: {}, body: { live: true } })
  })
})
