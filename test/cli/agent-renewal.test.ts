import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { makeWorkload } from '../support/builders.js'
import { untouched } from '../support/untouched.js'
import { failedWith, obtained, renewed } from './agent-process.js'
import { type AgentWorld, agentWorld, until } from './agent-world.js'

// `countersign agent` renews what it holds, and logs in where that is over.

let world: AgentWorld
beforeAll(async () => {
  world = await agentWorld()
}, 120_000)
afterAll(() => world.close())

describe('a token that is due', () => {
  // Each login would be a use: seen to fail where the agent logs in each time.
  it('is renewed, which costs no use of the client secret', async () => {
    const agent = world.agent(['--file', 'renewed'], await makeWorkload(world.admin, { name: 'renewed', tokenTtlSeconds: 4, useLimit: 1 }))
    const { tokenId, note } = await agent.note(obtained)
    expect(note).toMatch(/^obtained token/)
    const first = world.read('renewed')
    for (let times = 0; times < 2; times += 1) expect(await agent.nextNote(renewed)).toMatchObject({ tokenId, note: expect.stringMatching(/^renewed token/) })
    expect(world.read('renewed')).not.toBe(first)
    expect([await world.isGood(first), await world.isGood(world.read('renewed'))]).toEqual([true, true])
    expect(agent.notes().filter(({ error }) => error !== undefined)).toEqual([])
    await agent.stop()
  })

  it('and was revoked is replaced by a login at once', async () => {
    const agent = world.agent(['--file', 'refused'], await world.workload('renewal-refused', 6))
    const first = await agent.note(obtained)
    const target = { $case: 'accessToken', value: world.read('refused') } as const
    await world.system.everywhere(world.system.anonymous.exchange(Exchange.revokeAccessToken, { target }))
    const second = await agent.nextNote(obtained)
    expect(second.origin).toBe('login')
    expect(second.tokenId).not.toBe(first.tokenId)
    expect(await world.isGood(world.read('refused'))).toBe(true)
    expect(agent.notes().filter(({ error }) => error !== undefined)).toEqual([])
    await agent.stop()
  })

  it('and may live no longer is replaced by a login', async () => {
    const workload = await world.workload('at-most', 4)
    await world.admin.exchange(Exchange.updateUniversalAuth, { identityId: workload.identityId, etag: '', ...untouched, accessTokenMaxTtlSeconds: 4 })
    const agent = world.agent(['--file', 'at-most'], workload)
    const first = await agent.note(obtained)
    const second = await agent.nextNote(obtained)
    expect([first.origin, second.origin, first.tokenId === second.tokenId]).toEqual(['login', 'login', false])
    await agent.stop()
  })

  it('stays while auth-exchange is away, and is renewed when it is back', async () => {
    const agent = world.agent(['--file', 'kept'], await makeWorkload(world.admin, { name: 'kept', tokenTtlSeconds: 12, useLimit: 1 }))
    const { tokenId } = await agent.note(obtained)
    const first = world.read('kept')
    world.way.cut()
    await agent.note(failedWith('PEER_UNAVAILABLE'))
    expect(world.read('kept')).toBe(first)
    world.way.pass()
    expect(await agent.note(renewed)).toMatchObject({ tokenId })
    expect(world.read('kept')).not.toBe(first)
    await agent.stop()
  })
})

it('a token that was renewed is revoked once at the end, with all that it was', async () => {
  const agent = world.agent(['--file', 'lineage', '--revoke-on-exit'], await world.workload('lineage', 4))
  const { tokenId } = await agent.note(obtained)
  const texts = [world.read('lineage')]
  await agent.nextNote(renewed)
  texts.push(world.read('lineage'))
  expect(new Set(texts).size).toBe(2)
  const { code, stdout } = await agent.stop()
  expect([code, JSON.parse(stdout)]).toEqual([0, { stopped: true, revokedTokenIds: [tokenId] }])
  for (const text of texts) expect(await world.isGood(text)).toBe(false)
})

it('SIGHUP is a login, whatever could be renewed', async () => {
  const agent = world.agent(['--file', 'hurried'], await world.workload('hurried', 3_600))
  const { tokenId } = await agent.note(obtained)
  agent.signal('SIGHUP')
  const second = await agent.nextNote(obtained)
  expect([second.origin, second.tokenId === tokenId]).toEqual(['login', false])
  await agent.stop()
})

it('--no-renew is a login each time', async () => {
  const agent = world.agent(['--file', 'anew', '--no-renew'], await world.workload('anew', 4))
  const { tokenId } = await agent.note(obtained)
  await until(() => agent.notes().filter(obtained).length >= 3)
  expect(agent.notes().filter(obtained).map(({ origin }) => origin)).not.toContain('renewal')
  expect(agent.notes().filter((note) => note.tokenId === tokenId)).toHaveLength(1)
  await agent.stop()
})
