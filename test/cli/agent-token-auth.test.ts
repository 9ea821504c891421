import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { freshNames } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { standardTokenAuth } from '../support/untouched.js'
import { ask, failedWith, obtained, renewed } from './agent-process.js'
import { type AgentWorld, agentWorld, until } from './agent-world.js'

// `countersign agent --method token-auth`: a token that an operator made is renewed, and what becomes of it where it can't be.

let world: AgentWorld
beforeAll(async () => {
  world = await agentWorld()
}, 120_000)
afterAll(() => world.close())

const next = freshNames('given')
type Made = { readonly identityId: string; readonly tokenId: string; readonly accessToken: string }

async function made(accessTokenTtlSeconds: number, more: { readonly accessTokenMaxTtlSeconds?: number; readonly accessTokenPeriodSeconds?: number } = {}): Promise<Made> {
  const { id: identityId } = await world.admin.registry(Registry.createIdentity, { name: next(), role: '' })
  await world.admin.exchange(Exchange.attachAuthMethod, { identityId, ...standardTokenAuth, accessTokenTtlSeconds, ...more })
  return another(identityId)
}
async function another(identityId: string): Promise<Made> {
  const { tokenId, accessToken } = await world.admin.exchange(Exchange.createAccessToken, { identityId, name: 'of a test' })
  return { identityId, tokenId, accessToken }
}

/** How long a token lives that can't be renewed is told by wall clocks alone. */
const clocksAgree = () => world.system.clock.advance(Date.now() - world.system.clock.now().getTime())

const given = (name: string, ...rest: string[]) => ['--method', 'token-auth', '--token-file', world.path(name), ...rest]
const statusAt = async (where: string, path: string) => (await ask(where, path)).status

describe('a token that was given', () => {
  it.each([['of a period', { accessTokenPeriodSeconds: 4 }], ['below its maximum', {}]])('%s is renewed again and again', async (_what, more) => {
    const { tokenId, accessToken } = await made(4, more)
    const name = next()
    world.write(name, `${accessToken}\n`)
    const agent = world.agent(given(name, '--file', `${name}.kept`))
    for (let times = 0; times < 3; times += 1) expect((await agent.nextNote(renewed)).tokenId).toBe(tokenId)
    expect([world.read(`${name}.kept`) === accessToken, await world.isGood(world.read(`${name}.kept`)), world.read(name)]).toEqual([false, true, `${accessToken}\n`])
    expect((await agent.stop()).notes.filter(({ error }) => error !== undefined)).toEqual([])
  })

  it('comes from standard input too, and is replaced in its own file where that is to hold it', async () => {
    const { tokenId, accessToken } = await made(3_600)
    const { code, stdout } = await world.agent(['--method', 'token-auth', '--token-file', '-', '--once', '--file', 'piped'], undefined, { stdin: accessToken }).ended()
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ tokenId })])
    world.write('in-place', accessToken)
    const agent = world.agent(given('in-place', '--file', 'in-place'))
    await agent.note(renewed)
    expect([world.read('in-place') === accessToken, await world.isGood(world.read('in-place'))]).toEqual([false, true])
    await agent.stop()
  })
})

describe('a token that is over', () => {
  it('at its maximum is told until it ends, then the agent is not ready, until another one is put in its place', async () => {
    clocksAgree()
    const { identityId, tokenId, accessToken } = await made(16, { accessTokenMaxTtlSeconds: 16 })
    const file = world.write('last', accessToken)
    const socket = world.path('last.sock')
    const agent = world.agent(given('last', '--socket', socket))
    expect((await agent.note(obtained)).note).toContain(`token ${tokenId} ends at`)
    const { error } = await agent.note(failedWith('TOKEN_NOT_RENEWABLE'))
    expect(error?.message).toBe(`The token that was given can't be renewed any more. Make another token with \`countersign token create\` and put it into ${file}: it is looked at again at least once a minute.`)
    expect([await statusAt(socket, '/token'), await statusAt(socket, '/ready')]).toEqual([200, 200])
    await until(async () => (await statusAt(socket, '/token')) === 503)
    expect(await ask(socket, '/ready')).toMatchObject({ status: 503, body: { ready: false, reason: 'TOKEN_NOT_RENEWABLE' } })
    clocksAgree()
    const replacement = await another(identityId)
    world.write('last', replacement.accessToken)
    agent.signal('SIGHUP')
    expect((await agent.nextNote(({ origin }) => origin !== undefined)).tokenId).toBe(replacement.tokenId)
    expect([await statusAt(socket, '/token'), await statusAt(socket, '/ready')]).toEqual([200, 200])
    await agent.stop()
  }, 90_000)

  it('because it was revoked is told until it ends, and the agent is not ready at once', async () => {
    const { tokenId, accessToken } = await made(3_600)
    world.write('revoked', accessToken)
    const agent = world.agent(given('revoked', '--socket', 'revoked.sock'))
    await agent.note(renewed)
    await world.system.everywhere(world.admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } }))
    agent.signal('SIGHUP')
    const { note, error } = await agent.note(failedWith('ACCESS_TOKEN_REJECTED'))
    expect([note, error?.message]).toEqual([expect.stringContaining('it takes an operator'), expect.stringContaining('countersign token create')])
    const socket = world.path('revoked.sock')
    expect([await statusAt(socket, '/token'), await statusAt(socket, '/ready')]).toEqual([200, 503])
    await agent.stop()
  })
})

// Where a Secret holds the token, its text is the first one for ever: seen to fail where leftovers are not looked at.
it('a restart goes on from the file that the agent kept, when what was given has expired', async () => {
  const { tokenId, accessToken } = await made(60)
  world.write('secret', accessToken)
  const once = (file: string) => world.agent(given('secret', '--once', '--file', file)).ended()
  world.system.clock.advance(40 * SECOND)
  expect((await once('left')).code).toBe(0)
  world.system.clock.advance(40 * SECOND)
  expect(JSON.parse((await once('left')).stdout)).toMatchObject({ tokenId })
  expect(await once('elsewhere')).toMatchObject({ code: 1, notes: [{ error: { reason: 'ACCESS_TOKEN_REJECTED' } }] })
})

describe('wrong usage', () => {
  it.each([
    [['--method', 'token-auth'], 'token-auth needs --token-file FILE'],
    [['--token-file', 'a'], "--token-file can't go with universal-auth"],
    [['--method', 'token-auth', '--token-file', 'a', '--client-id', 'b', '--identity', 'c'], "--client-id, --identity can't go with token-auth"],
    [['--method', 'token-auth', '--token-file', 'a', '--credentials-file', 'b'], "--credentials-file can't go with token-auth"],
    [['--method', 'token-auth', '--token-file', 'a', '--no-renew', '--revoke-on-exit'], "--no-renew, --revoke-on-exit can't go with token-auth"],
    [['--method', 'token-auth', '--token-file', 'missing'], "missing can't be read"],
  ])('%j is said before anything begins', async (args, words) => {
    expect(await world.refusal(['--file', 'x', ...args])).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining(words) } })
  })

  it('what is no token is not taken for one', async () => {
    world.write('no-token', 'csk_secret')
    expect(await world.refusal(['--file', 'x', ...given('no-token')])).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining('is no access token') } })
  })
})
