import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Moment } from '#libs/clock.js'
import { FreshToken, type Setback, type Token } from './fresh-token.js'

const HOUR = 3_600_000
const token = (lifeMillis: number, tokenId = 'a'): Token => ({ accessToken: `secret ${tokenId}`, tokenId, identityId: 'i', organizationId: 'o', lifeMillis, origin: 'login', spareMillis: undefined })
const passing: Setback = { isRefusal: false, retryAfterMillis: undefined }
const refusal: Setback = { isRefusal: true, retryAfterMillis: undefined }

/** Both clocks of a machine that is never suspended. */
const at = (millis: number): Moment => ({ monotonic: millis, wall: millis })

/** Obtained at 0, where nothing else is said. */
function holding(lifeMillis: number, chance = 0, now = at(0)): FreshToken {
  const fresh = new FreshToken(() => chance)
  fresh.begin(now)
  fresh.succeeded(token(lifeMillis), now)
  return fresh
}

/** The times at which it logs in, looked at every 250 ms, where each login is answered at once. */
function loginsWithin(millis: number, fresh: FreshToken, answer: (now: Moment) => Token | Setback): number[] {
  const times: number[] = []
  for (let time = 0; time < millis; time += 250) {
    if (!fresh.isDue(at(time))) continue
    times.push(time)
    fresh.begin(at(time))
    const answered = answer(at(time))
    if ('accessToken' in answered) fresh.succeeded(answered, at(time))
    else fresh.failed(answered, at(time))
  }
  return times
}

describe('a token', () => {
  it.each([[0, 0.7], [0.5, 0.75], [0.999, 0.7999]])('is replaced at 70 to 80 %% of its life: chance %d, %d', (chance, share) => {
    const fresh = holding(HOUR, chance)
    expect(fresh.isDue(at(HOUR * share - 1))).toBe(false)
    expect(fresh.isDue(at(HOUR * share + 1))).toBe(true)
  })

  it('is handed out until shortly before its end, and never again, also when a clock is set back', () => {
    const fresh = holding(HOUR)
    expect(fresh.usable(at(HOUR - 10_001))?.tokenId).toBe('a')
    expect(fresh.usable(at(HOUR - 10_000))).toBeUndefined()
    expect(fresh.usable({ monotonic: 1_000, wall: 1_000 })).toBeUndefined()
  })

  it('is not asked for twice at a time', () => {
    const fresh = new FreshToken(() => 0)
    fresh.begin(at(0))
    expect(fresh.isDue(at(100 * HOUR))).toBe(false)
  })

  it('is replaced at once by a machine that wakes up, by whichever of its clocks', () => {
    const fresh = holding(HOUR)
    const suspended = { monotonic: 2_000, wall: 2 * HOUR }
    expect([fresh.isDue(suspended), fresh.usable(suspended)]).toEqual([true, undefined])
    expect(holding(HOUR).isDue({ monotonic: 2 * HOUR, wall: -5 * HOUR })).toBe(true)
  })

  it('that was replaced is remembered as long as it lives, so that it can be revoked', () => {
    const fresh = holding(HOUR)
    fresh.begin(at(0.7 * HOUR))
    fresh.succeeded(token(HOUR, 'b'), at(0.7 * HOUR))
    expect(fresh.alive(at(0.8 * HOUR)).map(({ tokenId }) => tokenId)).toEqual(['a', 'b'])
    expect(fresh.alive(at(1.1 * HOUR)).map(({ tokenId }) => tokenId)).toEqual(['b'])
  })

  it('that was renewed is revoked once, as what it became', () => {
    const fresh = holding(HOUR)
    fresh.begin(at(0.7 * HOUR))
    fresh.succeeded({ ...token(HOUR), accessToken: 'renewed', origin: 'renewal' }, at(0.7 * HOUR))
    expect(fresh.alive(at(0.8 * HOUR)).map(({ accessToken }) => accessToken)).toEqual(['renewed'])
  })

  it('can be renewed until it expires, by whichever clock, and not where somebody knows better', () => {
    const fresh = holding(HOUR)
    expect(fresh.renewable(at(0.75 * HOUR))).toMatchObject({ token: { tokenId: 'a' }, remainingMillis: 0.25 * HOUR })
    fresh.hurry()
    expect(fresh.renewable(at(0.75 * HOUR))).toBeUndefined()
    fresh.begin(at(0.75 * HOUR))
    fresh.failed(passing, at(0.75 * HOUR))
    expect(fresh.renewable(at(0.8 * HOUR))).toMatchObject({ remainingMillis: expect.closeTo(0.2 * HOUR) })
    expect(fresh.renewable({ monotonic: 0.8 * HOUR, wall: HOUR })).toBeUndefined()
    expect(new FreshToken(() => 0).renewable(at(0))).toBeUndefined()
  })

  it('is replaced before its time where somebody knows better, and still not in a tight loop', () => {
    const fresh = holding(HOUR)
    fresh.hurry()
    expect([fresh.isDue(at(999)), fresh.isDue(at(1_000))]).toEqual([false, true])
    fresh.begin(at(1_000))
    fresh.succeeded(token(HOUR, 'b'), at(1_000))
    expect(fresh.isDue(at(2_000))).toBe(false)
  })
})

describe('a login that fails', () => {
  it('takes away nothing, and is tried again ever later, by chance, at least once a minute', () => {
    const times = loginsWithin(600_000, new FreshToken(() => 0.999), () => passing)
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(gaps.slice(0, 8)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    const fresh = holding(HOUR)
    fresh.begin(at(0.7 * HOUR))
    fresh.failed(passing, at(0.7 * HOUR))
    expect([fresh.usable(at(0.7 * HOUR))?.tokenId, fresh.isRefused]).toEqual(['a', false])
  })

  it('halves the wait at most by chance, so that many agents do not come together', () => {
    const times = loginsWithin(600_000, new FreshToken(() => 0), () => passing)
    expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).toBe(30_000)
  })

  it('waits as long as the server asks, by a little more, and for ten minutes at most', () => {
    const asked = (retryAfterMillis: number) => loginsWithin(HOUR, new FreshToken(() => 0.5), () => ({ ...passing, retryAfterMillis }))[1]
    expect([asked(20_000), asked(300_000), asked(1e15)]).toEqual([22_000, 330_000, 660_000])
    expect([asked(0), asked(-1e9)]).toEqual([1_000, 1_000])
  })

  it('because the credential is refused is told apart until one succeeds', () => {
    const fresh = holding(HOUR)
    fresh.begin(at(1_000))
    fresh.failed(refusal, at(1_000))
    expect([fresh.isRefused, fresh.usable(at(1_000))?.tokenId]).toEqual([true, 'a'])
    fresh.begin(at(60_000))
    fresh.succeeded(token(HOUR), at(60_000))
    expect(fresh.isRefused).toBe(false)
  })

  it('is tried again at once by a machine that was suspended in between', () => {
    const fresh = new FreshToken(() => 0.5)
    for (let time = 0, tries = 0; tries < 9; time += 60_000, tries += 1) {
      fresh.begin(at(time))
      fresh.failed(passing, at(time))
    }
    expect(fresh.isDue({ monotonic: 482_000, wall: 482_000 })).toBe(false)
    expect(fresh.isDue({ monotonic: 482_000, wall: 482_000 + HOUR })).toBe(true)
  })
})

// What agents of others did: thousands of logins a minute once a credential was refused, or a token could not be renewed
// any more. Seen to fail without the interval (the second) and without the backoff (the first).
describe('whatever the server says', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const setback = fc.record({ isRefusal: fc.boolean(), retryAfterMillis: fc.option(fc.integer(), { nil: undefined }) })
  const minted = fc.oneof(fc.integer({ min: -1_000, max: 5_000 }), fc.integer({ min: 0, max: 100 * HOUR })).map((life) => token(life))
  const cycle = <Value>(values: readonly Value[]) => {
    let count = 0
    return () => values[(count += 1) % values.length]
  }

  it('an hour of failures is no more than 130 logins', () => {
    fc.assert(fc.property(fc.array(setback, { minLength: 1 }), chance, (setbacks, luck) => {
      const next = cycle(setbacks)
      const times = loginsWithin(HOUR, new FreshToken(() => luck), () => next() ?? passing)
      expect(times.length).toBeLessThanOrEqual(130)
      expect(times.length).toBeGreaterThanOrEqual(5)
    }))
  })

  it('no two logins begin within a second', () => {
    fc.assert(fc.property(fc.array(fc.oneof(setback, minted), { minLength: 1 }), chance, (answers, luck) => {
      const next = cycle(answers)
      const times = loginsWithin(HOUR / 4, new FreshToken(() => luck), () => next() ?? passing)
      expect(times.slice(1).every((time, index) => time - (times[index] ?? 0) >= 1_000)).toBe(true)
    }))
  })

  it('a wall clock that races makes no more of them', () => {
    const fresh = new FreshToken(() => 0.5)
    let logins = 0
    for (let time = 0; time < 60_000; time += 10) {
      const now = { monotonic: time, wall: time * 1e6 }
      if (!fresh.isDue(now)) continue
      logins += 1
      fresh.begin(now)
      fresh.failed(passing, now)
    }
    expect(logins).toBe(60)
  })
})
