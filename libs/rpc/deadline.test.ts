import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { monotonicMillis, wallMillis } from '../clock.js'
import { deadlineOf, inTime, remainingMillis, wallDeadline } from './deadline.js'

const OUT_OF_TIME = { kind: 'UNAVAILABLE', reason: 'OUT_OF_TIME' }
const CAP = 10_000

// The clocks and timers of this process stand still but for what a test lets pass.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const never = () => new Promise<never>(() => undefined)

describe('a deadline', () => {
  it.each([
    ['the caller gave', 250, 250],
    ['is the cap where the caller gave a later one', 60_000, CAP],
    ['is the cap where the caller gave none', Infinity, CAP],
    ['may have passed already', -1_000, -1_000],
  ])('%s', (_what, given, remaining) => {
    expect(remainingMillis(deadlineOf(given === Infinity ? Infinity : new Date(wallMillis() + given), CAP))).toBeCloseTo(remaining)
    expect(remainingMillis(deadlineOf(wallMillis() + given, CAP))).toBeCloseTo(remaining)
  })

  it('stays where it is while time passes', () => {
    const deadline = deadlineOf(wallMillis() + 1_000, CAP)
    vi.advanceTimersByTime(400)
    expect(remainingMillis(deadline)).toBeCloseTo(600)
  })

  it('is not moved by a wall clock that is set', () => {
    const deadline = deadlineOf(wallMillis() + 1_000, CAP)
    vi.setSystemTime(wallMillis() + 86_400_000)
    expect(remainingMillis(deadline)).toBeCloseTo(1_000)
    expect(wallDeadline(deadline) - wallMillis()).toBeLessThan(1_000)
  })

  it('is earlier for the next hop, so that its failure can still be told', () => {
    const given = wallMillis() + 1_000
    const next = wallDeadline(deadlineOf(given, CAP))
    expect(next).toBeLessThan(given)
    expect(next).toBeGreaterThan(given - 50)
  })
})

describe('work in time', () => {
  it('is its outcome, with no timer left behind', async () => {
    await expect(inTime(monotonicMillis() + 1_000, () => Promise.resolve('done'))).resolves.toBe('done')
    await expect(inTime(monotonicMillis() + 1_000, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    expect(vi.getTimerCount()).toBe(0)
  })

  // A guard in front of a handler throws before there is a promise. Seen to fail: each such call left a timer for its whole deadline.
  it('that throws at once fails as it does, with no timer left behind', async () => {
    const thrown = inTime(monotonicMillis() + 1_000, () => {
      throw new Error('refused')
    })
    await expect(thrown).rejects.toThrow('refused')
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([1, 5, 10, 12, 20, 50, 99, 100, 101, 110, 135, 300, 1_000, 9_999, 60_000])(
    'that never ends is given up before a deadline in %i ms, and late rather than soon',
    async (millis) => {
      const began = monotonicMillis()
      const outcome = expect(inTime(began + millis, never)).rejects.toMatchObject(OUT_OF_TIME)
      await vi.runAllTimersAsync()
      await outcome
      const waited = monotonicMillis() - began
      expect(waited).toBeLessThanOrEqual(millis)
      expect(waited).toBeGreaterThanOrEqual(Math.min(millis - 40, Math.floor(millis * 0.8)))
    },
  )

  it.each([1, 2, 5, 10, 11])('is done where %i ms are left: most of it takes less', async (millis) => {
    await expect(inTime(monotonicMillis() + millis, () => Promise.resolve('done'))).resolves.toBe('done')
  })

  it.each([0, -1, -1_000])('is not begun where %i ms are left', async (millis) => {
    let begun = false
    const work = () => {
      begun = true
      return Promise.resolve()
    }
    await expect(inTime(monotonicMillis() + millis, work)).rejects.toMatchObject(OUT_OF_TIME)
    expect(begun).toBe(false)
  })

  it('that fails after it was given up fails for nobody', async () => {
    const unhandled: unknown[] = []
    const keep = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', keep)
    let fail: (failure: Error) => void = () => undefined
    const outcome = expect(inTime(monotonicMillis() + 100, () => new Promise((_resolve, reject) => (fail = reject)))).rejects.toMatchObject(
      OUT_OF_TIME,
    )
    await vi.advanceTimersByTimeAsync(100)
    await outcome
    fail(new Error('too late'))
    vi.useRealTimers()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', keep)
    expect(unhandled).toEqual([])
  })
})
