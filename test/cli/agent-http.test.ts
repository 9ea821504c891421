import { createServer } from 'node:http'
import { once } from 'node:events'
import { chmodSync, mkdirSync, renameSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type AgentProcess, ask, failedWith, obtained } from './agent-process.js'
import { type AgentWorld, agentWorld, until } from './agent-world.js'
import { plainSecret } from '../support/untouched.js'

// `countersign agent --socket` and `--listen`: who is told the token, when there is none, and what is left behind.

let world: AgentWorld
beforeAll(async () => {
  world = await agentWorld()
}, 120_000)
afterAll(() => world.close())

const told = z.object({ accessToken: z.string(), tokenType: z.literal('Bearer'), expireTime: z.iso.datetime(), expiresInSeconds: z.number(), tokenId: z.string(), identityId: z.string(), organizationId: z.string() })
const tokenAt = async (where: string) => told.parse((await ask(where, '/token')).body)
const statusAt = async (where: string, path: string) => (await ask(where, path)).status
const listening = async (agent: AgentProcess) => (await agent.note(({ listen }) => listen !== undefined)).listen ?? ''
const LOOPBACK = ['--listen', '127.0.0.1:0']

describe('while all is well', () => {
  let agent: AgentProcess
  let loopback: string
  let socket: string
  let identityId: string
  beforeAll(async () => {
    const workload = await world.workload('served', 3_600)
    identityId = workload.identityId
    agent = world.agent([...LOOPBACK, '--socket', 'run/agent.sock', '--file', 'run/token'], workload)
    ;[loopback, socket] = [await listening(agent), world.path('run/agent.sock')]
    await agent.note(obtained)
  })

  it('the token is told on both, the same as in the file, and never kept by anybody on the way', async () => {
    for (const where of [loopback, socket]) {
      const { status, headers, body } = await ask(where, '/token')
      expect({ status, headers }).toMatchObject({ status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
      const { accessToken, identityId: whose, organizationId, expiresInSeconds, expireTime } = told.parse(body)
      expect([accessToken, whose, organizationId]).toEqual([world.read('run/token'), identityId, world.system.admin.organizationId])
      expect(expiresInSeconds).toBeGreaterThan(3_500)
      expect(Math.abs(Date.parse(expireTime) - Date.now() - expiresInSeconds * 1000)).toBeLessThan(5_000)
      expect([await statusAt(where, '/ready'), await statusAt(where, '/live')]).toEqual([200, 200])
    }
    expect(await world.isGood((await tokenAt(socket)).accessToken)).toBe(true)
  })

  // A request that somebody was talked into: each seen to get the token where its test is taken away.
  it.each([
    ['without the header', { headers: {} }, 403, 'HEADER_REQUIRED'],
    ['for another host, as by DNS rebinding', { headers: { 'countersign-agent': 'true', host: 'evil.example:8081' } }, 403, 'HOST_NOT_LOOPBACK'],
    ['from a page', { headers: { 'countersign-agent': 'true', origin: 'http://localhost:3000' } }, 403, 'NOT_ASKED_DIRECTLY'],
    ['through a proxy', { headers: { 'countersign-agent': 'true', 'x-forwarded-for': '10.0.0.1' } }, 403, 'NOT_ASKED_DIRECTLY'],
    ['that asks for leave', { method: 'OPTIONS' }, 405, 'METHOD_NOT_ALLOWED'],
    ['that posts', { method: 'POST' }, 405, 'METHOD_NOT_ALLOWED'],
  ])('a request %s is refused', async (_what, asked, status, reason) => {
    const answered = await ask(loopback, '/token', asked)
    expect(answered).toMatchObject({ status, body: { error: { reason } } })
    expect(Object.keys(answered.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('two headers of a kind count as none', async () => {
    const raw = (lines: readonly string[]) =>
      new Promise<string>((done) => {
        let text = ''
        const stream = connect({ host: '127.0.0.1', port: Number(loopback.split(':')[1]) }, () => stream.end(['GET /token HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n')))
        stream.on('data', (chunk: Buffer) => (text += chunk.toString())).on('close', () => done(text.split('\r\n')[0] ?? ''))
      })
    expect(await raw(['Host: localhost', 'Countersign-Agent: true'])).toBe('HTTP/1.1 200 OK')
    expect(await raw(['Host: localhost', 'Countersign-Agent: true', 'Countersign-Agent: true'])).toMatch(/ 403 /)
    expect(await raw(['Host: evil.example', 'Host: localhost', 'Countersign-Agent: true'])).toMatch(/ 40[03] /)
    expect(await raw(['Countersign-Agent: true'])).toMatch(/ 40[03] /)
  })

  // Only its owner can open the socket: seen to fail without umask and chmod, either of which is enough once it is there.
  it('the socket is for its owner alone, and is not listened on twice', async () => {
    expect(world.mode('run/agent.sock')).toBe('600')
    const workload = await world.workload('second', 3_600)
    expect(await world.refusal(['--socket', socket], workload)).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining('Something listens on') } })
    expect(await world.refusal(['--listen', loopback], workload)).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining('EADDRINUSE') } })
    expect(await statusAt(socket, '/token')).toBe(200)
  })

  it('nothing but the token in its file is left by SIGTERM, and nothing that was said is secret', async () => {
    const { accessToken } = await tokenAt(socket)
    expect(await agent.stop()).toMatchObject({ code: 0 })
    expect([world.isThere('run/agent.sock'), world.isThere('run/token')]).toEqual([false, true])
    await expect(ask(loopback, '/live')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(agent.output()).not.toMatch(new RegExp(`${accessToken.slice(0, 40)}|csk_|eyJ`))
    expect(await world.isGood(accessToken)).toBe(true)
  })
})

describe('where nothing is listened on', () => {
  // A token for the whole network: seen to fail without the test of the address.
  const ofNetwork = Object.values(networkInterfaces()).flat().filter((one) => one?.internal === false && one.family === 'IPv4').map((one) => `${one?.address}:0`)
  it.each(['0.0.0.0:0', '[::]:0', '10.1.2.3:8081', '[::ffff:10.0.0.1]:1', ...ofNetwork])('%s is no loopback address', async (address) => {
    expect(await world.refusal(['--listen', address], await workload())).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining('to the network') } })
  })

  it.each(['example.com:80', 'localhost', '127.0.0.1', ':8081', '127.0.0.1:99999', '127.1:80'])('%s is no address', async (address) => {
    expect(await world.refusal(['--listen', address], await workload())).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining('127.0.0.1:PORT') } })
  })

  it('a socket is not put over a file, into a folder of others, or where its path would be cut off', async () => {
    world.write('plain', 'x')
    mkdirSync(world.path('open'))
    chmodSync(world.path('open'), 0o777)
    const refused = async (path: string) => (await world.refusal(['--socket', path], await workload())).description.message
    expect(await refused(world.path('plain'))).toContain('no socket')
    expect(await refused(world.path('open/agent.sock'))).toContain('Others may write in')
    expect(await refused(world.path(`${'long'.repeat(30)}/agent.sock`))).toContain('too long')
    expect(world.read('plain')).toBe('x')
  })

  let made: ReturnType<AgentWorld['workload']> | undefined
  const workload = () => (made ??= world.workload('nowhere', 3_600))
})

describe('in trouble', () => {
  it('becomes ready once auth-exchange is there, replaces a socket that a killed agent left, and says when to come again', async () => {
    const path = world.path('stale.sock')
    const dead = createServer()
    await once(dead.listen(path), 'listening')
    renameSync(path, `${path}.kept`)
    dead.close()
    await once(dead, 'close')
    renameSync(`${path}.kept`, path)
    world.way.cut()
    const agent = world.agent(['--socket', path], await world.workload('late', 3_600))
    await agent.note(failedWith('PEER_UNAVAILABLE'))
    const { status, headers, body } = await ask(path, '/token')
    expect({ status, body }).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE', reason: 'PEER_UNAVAILABLE' } } })
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect([await statusAt(path, '/ready'), await statusAt(path, '/live')]).toEqual([503, 200])
    world.way.pass()
    await agent.note(obtained)
    expect([await statusAt(path, '/token'), await statusAt(path, '/ready')]).toEqual([200, 200])
    await agent.stop()
  })

  it('says that its secret was revoked, hands the token out until it expires, and goes on with a new secret without a restart', async () => {
    const workload = await world.workload('rotated', 12)
    const file = world.write('rotated.txt', `${workload.clientSecret}\n`)
    const agent = world.agent(['--socket', 'rotated.sock', '--file', 'rotated', '--client-id', workload.clientId, '--client-secret-file', file])
    await agent.note(obtained)
    const socket = world.path('rotated.sock')
    const { identityId, secretId } = workload
    await world.admin.exchange(Exchange.revokeClientSecret, { identityId, id: secretId })
    agent.signal('SIGHUP')
    const { note, error } = await agent.note(failedWith('CREDENTIALS_REJECTED'))
    expect([note, error?.message]).toEqual([expect.stringContaining('it takes an operator'), expect.stringContaining(`client id ${workload.clientId}`)])
    expect([await statusAt(socket, '/token'), await statusAt(socket, '/ready'), world.isThere('rotated')]).toEqual([200, 503, true])
    await until(async () => (await statusAt(socket, '/token')) === 503)
    await until(() => !world.isThere('rotated'))
    expect(await ask(socket, '/ready')).toMatchObject({ status: 503, body: { ready: false, reason: expect.stringMatching(/^(?:CREDENTIALS_REJECTED|LOGIN_THROTTLED)$/) } })
    const { secret } = await world.admin.exchange(Exchange.createClientSecret, { identityId, ...plainSecret })
    world.write('rotated.txt', `${secret}\n`)
    await agent.nextNote(obtained)
    expect([await statusAt(socket, '/token'), await statusAt(socket, '/ready'), world.isThere('rotated')]).toEqual([200, 200, true])
    await agent.stop()
  }, 60_000)

  it('reads a secret from standard input once, for all of its logins', async () => {
    const { clientId, clientSecret } = await world.workload('input', 4)
    const agent = world.agent(['--file', 'input', '--no-renew', '--client-id', clientId, '--client-secret-file', '-'], undefined, { stdin: `${clientSecret}\n` })
    const first = await agent.note(obtained)
    const second = await agent.note(({ tokenId }) => tokenId !== undefined && tokenId !== first.tokenId)
    expect(second.tokenId).toBeDefined()
    await agent.stop()
  })
})

describe('--revoke-on-exit', () => {
  it('revokes what was obtained, also what was replaced, and removes the files', async () => {
    const agent = world.agent(['--file', 'taken', '--socket', 'taken.sock', '--revoke-on-exit'], await world.workload('taken', 3_600))
    await agent.note(obtained)
    const first = await tokenAt(world.path('taken.sock'))
    agent.signal('SIGHUP')
    await until(async () => (await tokenAt(world.path('taken.sock'))).tokenId !== first.tokenId)
    const second = await tokenAt(world.path('taken.sock'))
    expect([await world.isGood(first.accessToken), await world.isGood(second.accessToken)]).toEqual([true, true])
    const { code, stdout } = await agent.stop()
    expect([code, JSON.parse(stdout)]).toEqual([0, { stopped: true, revokedTokenIds: expect.toSatisfy((ids: string[]) => [first, second].every(({ tokenId }) => ids.includes(tokenId)) && ids.length === 2) }])
    expect([await world.isGood(first.accessToken), await world.isGood(second.accessToken)]).toEqual([false, false])
    expect([world.isThere('taken'), world.isThere('taken.sock')]).toEqual([false, false])
  })

  it('says which token it could not revoke, in time, removes the files all the same, and ends with 3', async () => {
    const agent = world.agent(['--file', 'kept', '--revoke-on-exit'], await world.workload('kept', 3_600))
    const { tokenId = '' } = await agent.note(obtained)
    world.way.blackhole()
    const { code, notes } = await agent.stop()
    world.way.pass()
    expect([code, notes.at(-1)?.error]).toEqual([3, { reason: 'NOT_REVOKED', message: expect.stringContaining(tokenId), metadata: { tokenIds: tokenId } }])
    expect(world.isThere('kept')).toBe(false)
  })
})
