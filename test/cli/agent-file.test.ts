import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { failedWith, obtained } from './agent-process.js'
import { type AgentWorld, agentWorld, until } from './agent-world.js'

// `countersign agent --file`: what is in the file, who may read it, and what becomes of it.

let world: AgentWorld
beforeAll(async () => {
  world = await agentWorld()
}, 120_000)
afterAll(() => world.close())

describe('the file', () => {
  // At any moment a reader has a whole token: seen to fail where the file is written in place.
  it('is replaced in one step before the token expires, with mode 0600, and is never not there', async () => {
    const agent = world.agent(['--file', 'run/token'], await world.workload('replaced', 4))
    await until(() => world.isThere('run/token'))
    const seen = new Set<string>()
    const inodes = new Set<number>()
    while (seen.size < 4) {
      seen.add(world.read('run/token'))
      const { ino, mode } = statSync(world.path('run/token'))
      inodes.add(ino)
      expect(mode & 0o777).toBe(0o600)
      await nextTurn()
    }
    expect(inodes.size).toBeGreaterThan(1)
    for (const token of seen) expect(await world.isGood(token)).toBe(true)
    expect(world.mode('run')).toBe('700')
    expect(await agent.stop()).toMatchObject({ code: 0, stdout: expect.stringContaining('"stopped": true') })
    expect([readdirSync(world.path('run')), await world.isGood(world.read('run/token'))]).toEqual([['token'], true])
    for (const token of seen) expect(agent.output()).not.toContain(token)
  }, 60_000)

  it('is put back where somebody removes it, and stays with its owner where root writes it', async () => {
    const isRoot = process.getuid?.() === 0
    world.write('owned', '')
    if (isRoot) chownSync(world.path('owned'), 12_345, 54_321)
    const agent = world.agent(['--file', 'owned', '--file', 'other'], await world.workload('owned', 3_600))
    await until(() => world.isThere('other'))
    expect(statSync(world.path('owned'))).toMatchObject(isRoot ? { uid: 12_345, gid: 54_321 } : {})
    expect([world.mode('owned'), world.read('other')]).toEqual(['600', world.read('owned')])
    unlinkSync(world.path('other'))
    await until(() => world.isThere('other'))
    await agent.stop()
  })

  it('is kept while auth-exchange is away, then removed when its token expires, and comes again', async () => {
    const agent = world.agent(['--file', 'away'], await world.workload('away', 10))
    await agent.note(obtained)
    const first = world.read('away')
    world.way.cut()
    agent.signal('SIGHUP')
    await agent.note(failedWith('PEER_UNAVAILABLE'))
    expect(world.read('away')).toBe(first)
    await until(() => !world.isThere('away'))
    world.way.pass()
    await until(() => world.isThere('away'))
    expect(world.read('away')).not.toBe(first)
    await agent.stop()
  }, 60_000)

  it('of an agent that ran before stays while it is good: a restart takes nothing away', async () => {
    const workload = await world.workload('before', 3_600)
    const { accessToken } = await world.system.login(workload)
    world.write('before', accessToken)
    world.write('long-ago', `e30.${Buffer.from(JSON.stringify({ jti: 'j', sub: 's', org: 'o', iat: 1, exp: 2 })).toString('base64url')}.x`)
    world.way.cut()
    const agent = world.agent(['--file', 'before', '--file', 'long-ago'], workload)
    await agent.note(failedWith('PEER_UNAVAILABLE'))
    expect([world.read('before'), world.isThere('long-ago')]).toEqual([accessToken, false])
    world.way.pass()
    await agent.note(obtained)
    expect([world.read('before') === accessToken, world.read('long-ago')]).toEqual([false, world.read('before')])
    await agent.stop()
  })
})

// Whoever may write in the folder could have applications use a token of theirs: each seen to fail without its test.
describe('is not written', () => {
  const refused = async (name: string, words: string) => {
    expect(await world.refusal(['--once', '--file', world.path(name)], await workload())).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining(words) } })
  }
  let made: ReturnType<AgentWorld['workload']> | undefined
  const workload = () => (made ??= world.workload('refused', 3_600))
  const folder = (name: string, mode: number) => {
    mkdirSync(world.path(name))
    chmodSync(world.path(name), mode)
  }

  it.each([['world', 0o777], ['sticky', 0o1777], ['group', 0o770]])('into a folder that others may write: %s', async (name, mode) => {
    folder(name, mode)
    await refused(`${name}/token`, 'Others may write in')
    expect(readdirSync(world.path(name))).toEqual([])
  })

  it.runIf(process.getuid?.() === 0)('into a folder of another user', async () => {
    folder('theirs', 0o755)
    chownSync(world.path('theirs'), 12_345, 12_345)
    await refused('theirs/token', 'belongs to another user')
  })

  it('through a symbolic link, be it the file or its folder', async () => {
    folder('real', 0o700)
    symlinkSync(world.path('real'), world.path('linked'))
    symlinkSync(world.path('real/target'), world.path('link'))
    await refused('linked/token', 'is a symbolic link')
    await refused('link', 'is a symbolic link')
    expect(readdirSync(world.path('real'))).toEqual([])
  })

  it('over what is no token, or no file', async () => {
    world.write('precious', 'something else')
    folder('directory', 0o700)
    await refused('precious', 'holds no token')
    await refused('directory', 'no plain file')
    expect(world.read('precious')).toBe('something else')
  })

  it('any more, once others may write in its folder: that is said, once, and the agent is not ready', async () => {
    const agent = world.agent(['--file', 'opened/token', '--socket', 'opened-socket'], await world.workload('opened', 4))
    await agent.note(obtained)
    const first = world.read('opened/token')
    chmodSync(world.path('opened'), 0o777)
    const said = await agent.note(({ note }) => note?.includes('Others may write in') ?? false)
    expect([said.note, world.read('opened/token')]).toEqual([expect.stringContaining("can't be put into"), first])
    chmodSync(world.path('opened'), 0o700)
    await until(() => world.read('opened/token') !== first)
    expect(agent.notes().filter(({ note }) => note?.includes('Others may write in'))).toHaveLength(1)
    await agent.stop()
  })
})

describe('--once', () => {
  it('writes the files and exits with 0, and shows whose token it is, and not the token', async () => {
    const workload = await world.workload('once', 3_600)
    const { code, stdout, notes } = await world.agent(['--once', '--file', 'once/a', '--file', 'once/b'], workload).ended()
    expect([code, notes]).toEqual([0, []])
    expect(JSON.parse(stdout)).toEqual({ tokenId: expect.any(String), identityId: workload.identityId, expireTime: expect.stringMatching(/Z$/), files: [world.path('once/a'), world.path('once/b')] })
    expect([await world.isGood(world.read('once/a')), world.read('once/b')]).toEqual([true, world.read('once/a')])
    expect(stdout).not.toContain(world.read('once/a'))
  })

  it('ends with 1 where the credential is refused, and with 3 where nobody is reached', async () => {
    const workload = await world.workload('once-refused', 3_600)
    const { clientSecret } = await world.workload('once-other', 3_600)
    const once = ['--once', '--file', world.path('none')]
    expect(await world.refusal(once, { ...workload, clientSecret })).toMatchObject({ exitCode: 1, description: { reason: 'CREDENTIALS_REJECTED' } })
    world.way.cut()
    expect(await world.refusal(once, workload)).toMatchObject({ exitCode: 3, description: { reason: 'PEER_UNAVAILABLE' } })
    world.way.pass()
    expect(world.isThere('none')).toBe(false)
  })
})

describe('wrong usage', () => {
  it.each([
    [[], 'Where is the token to go?'],
    [['--once'], '--once writes files'],
    [['--once', '--file', 'x', '--listen', '127.0.0.1:0'], '--once writes files'],
    [['--once', '--file', 'x', '--revoke-on-exit'], 'take it away at once'],
    [['--file', 'x', '--client-id', 'a', '--client-secret-file', 'missing.txt'], "missing.txt can't be read"],
    [['--file', 'x', '--client-id', 'a'], 'no client secret to a'],
    [['--file', 'x', '--credentials-file', 'missing.json', '--client-id', 'a'], '--credentials-file'],
  ])('%j is said before anything begins', async (args, words) => {
    expect(await world.refusal(args)).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining(words) } })
  })
})

it('a token that was revoked is the same file until the next login', async () => {
  const workload = await world.workload('revoked', 3_600)
  const agent = world.agent(['--file', 'revoked'], workload)
  await agent.note(obtained)
  const token = readFileSync(world.path('revoked'), 'utf8')
  await world.system.everywhere(world.system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value: token } }))
  expect(await world.isGood(token)).toBe(false)
  // SIGHUP is how an operator says so.
  agent.signal('SIGHUP')
  await until(() => world.read('revoked') !== token)
  expect(await world.isGood(world.read('revoked'))).toBe(true)
  await agent.stop()
})
