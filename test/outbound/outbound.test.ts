import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NoAnswer, outbound, type Question } from '#libs/outbound/outbound.js'
import type { ResolveName } from '#libs/outbound/resolve-name.js'
import { subnetOf } from '#libs/rules/subnet.js'
import { certificateAuthority } from '../support/certificate-authority.js'
import { type HttpsServer, json, startHttpsServer } from '../support/https-server.js'
import { scratchDirectory, type ScratchDirectory } from '../support/scratch-directory.js'

const LOOPBACK = [subnetOf('127.0.0.0/8')].flatMap((subnet) => subnet ?? [])
const HOST = 'issuer.example'

let scratch: ScratchDirectory
let server: HttpsServer
let caCertificate: string

beforeAll(async () => {
  scratch = await scratchDirectory()
  const authority = await certificateAuthority(scratch.path)
  caCertificate = readFileSync(authority.caFile, 'utf8')
  server = await startHttpsServer(await authority.issue('issuer', [`DNS:${HOST}`, 'IP:127.0.0.1']), json({ keys: [] }))
})
afterAll(async () => {
  await server.close()
  await scratch.remove()
})
beforeEach(() => {
  server.answer(json({ keys: [] }))
  server.asked.length = 0
})

const loopback: ResolveName = () => Promise.resolve(['127.0.0.1'])
const url = (path = '/jwks', host = HOST) => `https://${host}:${server.port}${path}`
const ask = (question: Partial<Question> = {}, options: Partial<Parameters<typeof outbound>[0]> = {}) =>
  outbound({ allowedNetworks: LOOPBACK, resolve: loopback, ...options }).ask({ url: url(), caCertificate, account: 'acme', ...question })

const noAnswer = (why: RegExp) => expect.objectContaining({ name: 'NoAnswer', message: expect.stringMatching(why) })

describe('a request to a URL that somebody configured', () => {
  it('answers with JSON of a public CA or the one that was given', async () => {
    expect(await ask()).toEqual({ status: 200, json: { keys: [] } })
    expect(server.asked).toEqual([{ line: 'GET /jwks', host: `${HOST}:${server.port}`, authorization: '' }])
  })

  it('posts JSON and shows its bearer', async () => {
    let posted = ''
    server.answer((request, response) => {
      request.on('data', (chunk: Buffer) => (posted += chunk.toString()))
      request.on('end', () => json({ ok: true }, 201)(request, response))
    })
    expect(await ask({ body: { spec: { token: 'x' } }, bearer: 'reviewer' })).toEqual({ status: 201, json: { ok: true } })
    expect([posted, server.asked[0]?.line, server.asked[0]?.authorization]).toEqual(['{"spec":{"token":"x"}}', 'POST /jwks', 'Bearer reviewer'])
  })

  it('takes application/jwk-set+json, and tells the status alone where there is no success', async () => {
    server.answer((_request, response) => void response.writeHead(200, { 'content-type': 'application/jwk-set+json; charset=utf-8' }).end('{}'))
    expect(await ask()).toEqual({ status: 200, json: {} })
    server.answer((_request, response) => void response.writeHead(403, { 'content-type': 'text/html' }).end('<p>no</p>'))
    expect(await ask()).toEqual({ status: 403 })
  })
})

// Attack 31: no request leaves for a place that nobody should be able to have us ask. Seen to fail without `isReachable`, and the
// rows about the URL without `httpsUrlOf`.
describe('refuses before anything is sent', () => {
  it.each([
    'http://issuer.example/jwks', 'file:///etc/passwd', 'ftp://issuer.example/', 'data:application/json,{}', 'gopher://127.0.0.1/', '//issuer.example/', 'issuer.example', '', 'https://',
    'https://user@issuer.example/', 'https://user:password@issuer.example/', 'https://:password@issuer.example/',
  ])('%s', async (text) => {
    await expect(ask({ url: text })).rejects.toEqual(noAnswer(/none of https without credentials/))
  })

  it.each([
    '127.0.0.1', '[::1]', '0.0.0.0', '[::]', '169.254.169.254', '[::ffff:a9fe:a9fe]', '[::ffff:169.254.169.254]', '[64:ff9b::a9fe:a9fe]', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '10.0.0.1', '192.168.0.1',
    '100.64.0.1', '[fd00:ec2::254]', '[fe80::1]', '224.0.0.1', '[::127.0.0.1]', '168.63.129.16',
  ])('the address %s', async (host) => {
    const connections = server.connections()
    await expect(ask({ url: url('/jwks', host) }, { allowedNetworks: [] })).rejects.toEqual(noAnswer(/no address that may be asked/))
    expect(server.connections()).toBe(connections)
  })

  it.each([[['127.0.0.1']], [['::1']], [['169.254.169.254', '10.0.0.1']], [['::ffff:127.0.0.1']], [['64:ff9b::7f00:1']]])('a name that is %j', async (addresses) => {
    await expect(ask({}, { allowedNetworks: [], resolve: () => Promise.resolve(addresses) })).rejects.toEqual(noAnswer(/no address that may be asked/))
  })

  it('a name that has no address, or whose answer names something else', async () => {
    await expect(ask({}, { resolve: () => Promise.resolve([]) })).rejects.toEqual(noAnswer(/has no address/))
    await expect(ask({}, { resolve: () => Promise.resolve(['localhost', 'evil.example']) })).rejects.toEqual(noAnswer(/has no address/))
  })
})

// DNS rebinding: the name is resolved once, and the connection goes to the very address that was judged. Seen to fail with the
// system's lookup in place of `onlyTo`.
describe('connects', () => {
  it('to the address that was judged, though the name has another one a moment later', async () => {
    const answers = [['127.0.0.1'], ['127.0.0.2'], ['10.0.0.1']]
    let resolved = 0
    const resolve: ResolveName = () => Promise.resolve(answers[resolved++] ?? [])
    expect(await ask({}, { resolve })).toMatchObject({ status: 200 })
    expect(resolved).toBe(1)
  })

  it('only to those of several addresses that may be asked', async () => {
    const connections = server.connections()
    expect(await ask({}, { resolve: () => Promise.resolve(['10.0.0.1', '::1', '127.0.0.1', '169.254.169.254']) })).toMatchObject({ status: 200 })
    expect(server.connections()).toBe(connections + 1)
  })
})

// Seen to fail: the redirects without their line, the size without the count, the certificates (below) without `rejectUnauthorized`.
describe('gives up on an answer', () => {
  it.each([301, 302, 303, 307, 308, 300, 304])('that is a redirect: %i', async (status) => {
    server.answer((_request, response) => void response.writeHead(status, { location: url('/elsewhere') }).end())
    await expect(ask({ bearer: 'reviewer' })).rejects.toEqual(noAnswer(/redirect/))
    expect(server.asked.map(({ line }) => line)).toEqual(['GET /jwks'])
  })

  it('that is longer than it may be, said beforehand or not', async () => {
    server.answer((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', 'content-length': 300_000 }).write('['))
    await expect(ask()).rejects.toEqual(noAnswer(/longer than 262144 bytes/))
    let written = 0
    server.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = () => {
        while (response.writable && written < 100 * 1024 * 1024) {
          written += 65_536
          if (!response.write(' '.repeat(65_536))) return void response.once('drain', more)
        }
      }
      more()
    })
    await expect(ask()).rejects.toEqual(noAnswer(/longer than 262144 bytes/))
    expect(written).toBeLessThan(50 * 1024 * 1024)
  })

  it('that never comes, or comes a byte at a time', async () => {
    server.answer(() => undefined)
    await expect(ask({}, { maxMillis: 100 })).rejects.toEqual(noAnswer(/too long/))
    const timers: NodeJS.Timeout[] = []
    server.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      timers.push(setInterval(() => response.write(' '), 10))
    })
    await expect(ask({}, { maxMillis: 200 })).rejects.toEqual(noAnswer(/too long/))
    for (const timer of timers) clearInterval(timer)
  })

  it('whose name takes too long to resolve', async () => {
    await expect(ask({}, { maxMillis: 50, resolve: () => new Promise(() => undefined) })).rejects.toEqual(noAnswer(/too long/))
  })

  it.each([['text/html', '{}'], ['', '{}'], ['application/jsonp', '{}'], ['application/json', '<html>'], ['application/json', ''], ['application/json', '\u00ff{}']])('that is no JSON: %s %s', async (type, text) => {
    server.answer((_request, response) => void response.writeHead(200, type === '' ? {} : { 'content-type': type }).end(Buffer.from(text, 'latin1')))
    await expect(ask()).rejects.toEqual(noAnswer(/no JSON/))
  })

  it('that is compressed', async () => {
    server.answer((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('x'))
    await expect(ask()).rejects.toEqual(noAnswer(/compressed/))
  })

  it('with more headers than it may have', async () => {
    server.answer((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', padding: 'x'.repeat(20_000) }).end('{}'))
    await expect(ask()).rejects.toThrow(NoAnswer)
  })

  it('that breaks off', async () => {
    server.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{')
      setImmediate(() => response.destroy())
    })
    await expect(ask()).rejects.toThrow(NoAnswer)
  })
})

// Seen to fail with `rejectUnauthorized: false`.
describe('believes no server', () => {
  it('of another CA than the one that was given, or than the public ones where none was', async () => {
    const other = readFileSync((await certificateAuthority(scratch.path, 'other')).caFile, 'utf8')
    await expect(ask({ caCertificate: other })).rejects.toEqual(noAnswer(/certificate/))
    await expect(ask({ caCertificate: undefined })).rejects.toEqual(noAnswer(/certificate/))
    expect(server.asked).toEqual([])
  })

  it('whose certificate is for another name or address', async () => {
    await expect(ask({ url: url('/', 'other.example') })).rejects.toEqual(noAnswer(/altnames/))
    expect(await ask({ url: url('/', '127.0.0.1') })).toMatchObject({ status: 200 })
    await expect(ask({ url: url('/', '127.0.0.2') })).rejects.toThrow(NoAnswer)
    expect(server.asked).toHaveLength(1)
  })
})

it('lets one account wait for its own requests and for nobody else\'s', async () => {
  const held: (() => void)[] = []
  server.answer((request, response) => void held.push(() => json({})(request, response)))
  const shared = outbound({ allowedNetworks: LOOPBACK, resolve: loopback })
  const of = (account: string) => shared.ask({ url: url(), caCertificate, account })
  const many = Array.from({ length: 80 }, () => of('greedy'))
  await expect(of('greedy')).rejects.toEqual(noAnswer(/too many requests/))
  await expect.poll(() => held.length).toBe(16)
  const other = of('modest')
  await expect.poll(() => held.length).toBe(17)
  held.at(-1)?.()
  expect(await other).toMatchObject({ status: 200 })
  server.answer(json({}))
  for (const release of held.slice(0, 16)) release()
  expect(await Promise.all(many)).toHaveLength(80)
})
