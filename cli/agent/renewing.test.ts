import { describe, expect, it } from 'vitest'
import { DomainError, type Kind } from '#libs/domain-error.js'
import { Failure } from '../failure.js'
import { FreshToken, type Holding, type Origin, type Token } from './fresh-token.js'
import { isWorthRenewing, renewing } from './renewing.js'

const [MINUTE, HOUR] = [60_000, 3_600_000]
const token = (tokenId: string, origin: Origin, spareMillis?: number): Token =>
  ({ accessToken: `secret-${tokenId}`, tokenId, identityId: 'i', organizationId: 'o', lifeMillis: HOUR, origin, spareMillis })
const held = (change: Partial<Token> = {}, remainingMillis = HOUR / 4): Holding => ({ token: { ...token('a', 'login'), ...change }, remainingMillis })
const refusal = (kind: Kind, reason = 'REASON') => new DomainError(kind, reason, 'No.')
const down = new Failure({ exitCode: 3, reason: 'PEER_UNAVAILABLE', message: 'Nobody there.', cause: refusal('UNAVAILABLE') })
const tooShort = new Failure({ exitCode: 1, reason: 'TOKEN_LIFE_TOO_SHORT', message: 'Short.' })

/** A source whose renewals and logins end as they are told to; what was asked of the server is written down. */
function world(renewals: (Token | Error)[], logins: (Token | Error)[] = []) {
  const asked: string[] = []
  const take = (from: (Token | Error)[], otherwise: Token) => {
    const answer = from.shift() ?? otherwise
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
  const login = { obtain: () => (asked.push('login'), take(logins, token('b', 'login'))) }
  const source = renewing(login, (accessToken) => (asked.push(`renew ${accessToken}`), take(renewals, token('a', 'renewal', 10 * HOUR))))
  return { source, asked }
}

describe('a token that is due', () => {
  it('is renewed without a login, and where there is none one is made', async () => {
    const { source, asked } = world([])
    expect(await source.obtain(held())).toMatchObject({ tokenId: 'a', origin: 'renewal' })
    expect(await source.obtain(undefined)).toMatchObject({ tokenId: 'b', origin: 'login' })
    expect(asked).toEqual(['renew secret-a', 'login'])
  })

  it.each([
    ['revoked', refusal('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED')],
    ['at the end of its lineage', refusal('FAILED_PRECONDITION', 'TOKEN_NOT_RENEWABLE')],
    ['not known to this server', refusal('INTERNAL')],
    ['left with too little', tooShort],
  ])('and %s is replaced by a login at once, and never asked about again', async (_what, error) => {
    const { source, asked } = world([error], [down])
    await expect(source.obtain(held())).rejects.toBe(down)
    expect(await source.obtain(held())).toMatchObject({ tokenId: 'b' })
    expect(asked).toEqual(['renew secret-a', 'login', 'login'])
  })

  // A use of the client secret would be spent for nothing: seen to fail where every error leads to a login.
  it.each([down, refusal('UNAVAILABLE'), refusal('RESOURCE_EXHAUSTED'), refusal('ABORTED'), new Error('ca.crt can\'t be read')])('is kept, and renewed later, where the server can not answer: %s', async (error) => {
    const { source, asked } = world([error])
    await expect(source.obtain(held())).rejects.toBe(error)
    expect(await source.obtain(held())).toMatchObject({ origin: 'renewal' })
    expect(asked).toEqual(['renew secret-a', 'renew secret-a'])
  })

  it('is renewed again where another one was over', async () => {
    const { source, asked } = world([refusal('UNAUTHENTICATED')])
    await source.obtain(held())
    await source.obtain(held({ tokenId: 'b', accessToken: 'secret-b' }))
    expect(asked).toEqual(['renew secret-a', 'login', 'renew secret-b'])
  })
})

describe('a renewal', () => {
  it.each([
    ['nobody said how far it may go', undefined, true],
    ['there is no maximum', Number.POSITIVE_INFINITY, true],
    ['the maximum is far', 10 * HOUR, true],
    ['it brings half a life', HOUR / 4, true],
    ['it brings less', HOUR / 4 - 1, false],
    ['the maximum is reached', 0, false],
  ])('where %s (%d): %s', (_what, spareMillis, isWorth) => {
    expect(isWorthRenewing(held({ spareMillis }))).toBe(isWorth)
  })
})

// A day of an hour each: logins cost uses of the client secret, renewals none.
it('a day of a lineage of at most a day is one login, and the next day another', async () => {
  let [time, logins, renewals, lineageEnd] = [0, 0, 0, 0]
  const minted = (origin: Origin): Token => {
    const expire = Math.min(time + HOUR, lineageEnd)
    return { ...token(`lineage ${logins}`, origin), lifeMillis: expire - time, spareMillis: origin === 'login' ? undefined : lineageEnd - expire }
  }
  const login = { obtain: async () => {
    logins += 1
    lineageEnd = time + 24 * HOUR
    return Promise.resolve(minted('login'))
  } }
  const source = renewing(login, () => Promise.resolve(minted((renewals += 1, 'renewal'))))
  const fresh = new FreshToken(() => 0.5)
  const now = () => ({ monotonic: time, wall: time })
  for (; time < 47 * HOUR; time += MINUTE) {
    if (time > 0) expect(fresh.usable(now())).toBeDefined()
    if (!fresh.isDue(now())) continue
    const from = fresh.renewable(now())
    fresh.begin(now())
    fresh.succeeded(await source.obtain(from), now())
  }
  expect([logins, renewals]).toEqual([2, 61])
})
