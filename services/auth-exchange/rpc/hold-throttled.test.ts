import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { messageOf } from '#libs/causes.js'
import { monotonicMillis } from '#libs/clock.js'
import { credentialsRejected, loginThrottled } from '../domain/refusals.js'
import { HOLD_MILLIS, holdThrottled, MOST_HELD } from './hold-throttled.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const inTenSeconds = () => monotonicMillis() + 10_000
const fail = (error: Error) => Promise.reject(error)

/** How it ended, as soon as it has. */
function watched(outcome: Promise<string>) {
  const seen: { ended?: string } = {}
  outcome.then((value) => (seen.ended = value), (error: unknown) => (seen.ended = messageOf(error)))
  return seen
}

const { message: throttled } = loginThrottled(0)
const { message: rejected } = credentialsRejected()

describe('a throttled failure', () => {
  it('is told late, and nothing else is', async () => {
    const hold = holdThrottled()
    const good = watched(hold(inTenSeconds(), Promise.resolve('a token')))
    const wrong = watched(hold(inTenSeconds(), fail(credentialsRejected())))
    const late = watched(hold(inTenSeconds(), fail(loginThrottled(1_000))))
    await vi.advanceTimersByTimeAsync(HOLD_MILLIS - 1)
    expect([good.ended, wrong.ended, late.ended]).toEqual(['a token', rejected, undefined])
    await vi.advanceTimersByTimeAsync(1)
    expect(late.ended).toBe(throttled)
  })

  it('is told before the deadline of its caller', async () => {
    const late = watched(holdThrottled()(monotonicMillis() + 100, fail(loginThrottled(1_000))))
    await vi.advanceTimersByTimeAsync(80)
    expect(late.ended).toBe(throttled)
  })

  // Whoever is held is under way: a flood of them would have honest calls refused. Seen to fail without the count.
  it('is told at once where too many wait already, and waits again when those are told', async () => {
    const hold = holdThrottled()
    const one = () => watched(hold(inTenSeconds(), fail(loginThrottled(1_000))))
    const all = Array.from({ length: MOST_HELD + 1 }, one)
    await vi.advanceTimersByTimeAsync(0)
    expect(all.map(({ ended }) => ended !== undefined)).toEqual([...Array.from({ length: MOST_HELD }, () => false), true])
    await vi.advanceTimersByTimeAsync(HOLD_MILLIS)
    const next = one()
    await vi.advanceTimersByTimeAsync(0)
    expect([all.every(({ ended }) => ended === throttled), next.ended]).toEqual([true, undefined])
  })
})
