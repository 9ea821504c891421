import { describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { Failure } from '../failure.js'
import { keepToken } from './keeper.js'
import { reportBy } from './report.js'
import { tokenFrom } from './issued-token.js'
import { setbackOf } from './setback.js'
import type { Token } from './fresh-token.js'

const HOUR = 3_600_000
const token = (tokenId: string): Token => ({ accessToken: `secret-${tokenId}`, tokenId, identityId: 'i', organizationId: 'o', lifeMillis: HOUR, origin: 'login', spareMillis: undefined })
const rejected = new DomainError('UNAUTHENTICATED', 'CREDENTIALS_REJECTED', 'Client credentials were rejected.')
const down = new Failure({ exitCode: 3, reason: 'PEER_UNAVAILABLE', message: 'Nobody there.', cause: new DomainError('UNAVAILABLE', 'PEER_UNAVAILABLE', 'Nobody there.') })

/** A keeper whose logins end as they are told to, and a sink that breaks as it is told to. */
function world() {
  const answers: (Token | Error)[] = []
  const lines: string[] = []
  const shown: (string | undefined)[] = []
  let millis = 0
  let logins = 0
  let broken: Error | undefined
  const keeper = keepToken({
    source: {
      obtain: () => {
        logins += 1
        const answer = answers.shift() ?? down
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
      },
    },
    sinks: [{ name: 'sink', show: (given) => {
      if (broken) throw broken
      if (shown.at(-1) !== given?.tokenId) shown.push(given?.tokenId)
    } }],
    now: () => ({ monotonic: millis, wall: millis }),
    chance: () => 0.5,
    report: reportBy((line) => void lines.push(line)),
  })
  return {
    keeper,
    lines,
    shown,
    logins: () => logins,
    answer: (...next: (Token | Error)[]) => void answers.push(...next),
    breakSink: (how: Error | undefined) => void (broken = how),
    /** Looks every second until then. */
    until: async (end: number) => {
      for (; millis <= end; millis += 1_000) {
        keeper.look()
        await keeper.settled()
      }
      keeper.look()
      await keeper.settled()
    },
  }
}

describe('a keeper', () => {
  it('puts each token into its sinks, and is ready', async () => {
    const { keeper, answer, until, shown } = world()
    answer(token('a'), token('b'))
    await until(0)
    expect([shown, keeper.view().isReady]).toEqual([['a'], true])
    await until(0.76 * HOUR)
    expect(shown).toEqual(['a', 'b'])
  })

  // A server that can't be reached takes nothing away from anybody: seen to fail where a failure drops the token.
  it('keeps the token and is ready while the server is away, and empties the sinks when it expires', async () => {
    const { keeper, answer, until, shown, lines } = world()
    answer(token('a'))
    await until(0.98 * HOUR)
    expect([shown, keeper.view().isReady]).toEqual([['a'], true])
    expect(lines.at(-1)).toMatch(/^no new token\. Nobody there\. \(PEER_UNAVAILABLE\) the token that is held is good for \d+ s more; next attempt in \d+ s$/)
    await until(HOUR)
    expect([shown, keeper.view().isReady, keeper.view().reason]).toEqual([['a', undefined], false, 'PEER_UNAVAILABLE'])
    answer(token('b'))
    await until(HOUR + 61_000)
    expect([shown, keeper.view().isReady]).toEqual([['a', undefined, 'b'], true])
  })

  it('says that the credential is refused, is not ready, and keeps the token until it expires', async () => {
    const { keeper, answer, until, shown, lines } = world()
    answer(token('a'), ...Array.from({ length: 100 }, () => rejected))
    await until(0.8 * HOUR)
    expect([shown, keeper.view().isReady, keeper.view().reason, keeper.view().token?.tokenId]).toEqual([['a'], false, 'CREDENTIALS_REJECTED', 'a'])
    expect(lines.at(-1)).toContain('the credential is refused: it takes an operator. Client credentials were rejected. (CREDENTIALS_REJECTED)')
    await until(HOUR)
    expect(shown).toEqual(['a', undefined])
  })

  it('says once that a sink is in trouble, and is ready again when it is not', async () => {
    const { keeper, answer, until, shown, lines, breakSink } = world()
    answer(token('a'))
    breakSink(new Error('no room'))
    await until(5_000)
    expect(lines.filter((line) => line.includes('no room'))).toHaveLength(1)
    expect([keeper.view().isReady, keeper.view().reason]).toEqual([false, 'TOKEN_NOT_WRITTEN'])
    breakSink(undefined)
    await until(6_000)
    expect([keeper.view().isReady, shown]).toEqual([true, ['a']])
  })

  it('does nothing any more once it is stopped, also with what a login brings that was under way', async () => {
    const { keeper, answer, until, shown, logins } = world()
    answer(token('a'))
    keeper.look()
    keeper.stop()
    await keeper.settled()
    expect([shown, keeper.alive().map(({ tokenId }) => tokenId)]).toEqual([[], ['a']])
    await until(HOUR)
    expect(logins()).toBe(1)
  })

  it('never says a token', async () => {
    const { answer, until, lines } = world()
    answer(token('a'), down, rejected, token('b'))
    await until(HOUR)
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.filter((line) => line.includes('secret-'))).toEqual([])
  })
})

describe('what a login comes to', () => {
  it.each([
    [rejected, true, undefined],
    [new DomainError('PERMISSION_DENIED', 'A', 'a'), true, undefined],
    [new DomainError('RESOURCE_EXHAUSTED', 'A', 'a', { retryAfterMillis: 7 }), false, 7],
    [new DomainError('RESOURCE_EXHAUSTED', 'LOGIN_THROTTLED', 'a', { retryAfterMillis: 7 }), true, undefined],
    [new Failure({ exitCode: 3, reason: 'A', message: 'a', cause: new DomainError('UNAVAILABLE', 'A', 'a', { retryAfterMillis: 9 }) }), false, 9],
    [new Failure({ exitCode: 2, reason: 'WRONG_USAGE', message: 'secret.txt is empty.' }), false, undefined],
    [new Error('x'), false, undefined],
  ])('%s', (error, isRefusal, retryAfterMillis) => {
    expect(setbackOf(error)).toEqual({ isRefusal, retryAfterMillis })
  })

  const accessToken = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`
  const claims = { jti: 't', sub: 'i', org: 'o', iat: 1_000, exp: 4_600 }

  it('is a token that lives as long as it says itself, whatever the clocks say, but for the part of a second that it does not say', () => {
    expect(tokenFrom({ accessToken: accessToken(claims) })).toMatchObject({ tokenId: 't', identityId: 'i', organizationId: 'o', lifeMillis: 3_599_000 })
  })

  it('is no token where it says nothing of itself, or lives too short to be kept fresh', () => {
    expect(() => tokenFrom({ accessToken: 'a.b.c' })).toThrow(expect.objectContaining({ reason: 'TOKEN_NOT_UNDERSTOOD' }))
    for (const exp of [1_002, 1_000, 900]) expect(() => tokenFrom({ accessToken: accessToken({ ...claims, exp }) })).toThrow(expect.objectContaining({ reason: 'TOKEN_LIFE_TOO_SHORT' }))
    expect(tokenFrom({ accessToken: accessToken({ ...claims, exp: 1_003 }) }).lifeMillis).toBe(2_000)
  })
})
