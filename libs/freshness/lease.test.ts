import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { handClock, type HandClock } from '../../test/support/hand-feed.js'
import { Lease } from './lease.js'

const DATABASE_MILLIS = 1_600_000_000_000

/** A lease from a pull that was sent now and answered so much later. */
function leased(clock: HandClock, { boundMillis = 250, roundTrip = 0 } = {}): Lease {
  const lease = new Lease()
  const asked = clock.now()
  clock.pass(roundTrip)
  lease.renew(asked, clock.now(), { databaseTime: new Date(DATABASE_MILLIS), boundMillis })
  return lease
}

describe('a lease', () => {
  it('holds for nobody who has not pulled yet', () => {
    const [lease, { now }] = [new Lease(), handClock()]
    expect(lease.holds(now())).toBe(false)
    expect(lease.boundMillis).toBe(0)
    expect(lease.ageMillis(now())).toBe(Infinity)
  })

  // A replica that hears nothing of a feed answers nothing from memory after B. Seen to fail without the age.
  it('holds up to its bound, and no longer', () => {
    const clock = handClock()
    const lease = leased(clock)
    clock.pass(250)
    expect(lease.holds(clock.now())).toBe(true)
    clock.pass(1)
    expect(lease.holds(clock.now())).toBe(false)
  })

  // What was committed after the owner read is not seen, however late the answer came. Seen to fail with the age counted
  // from the answer.
  it('counts from when the pull was sent', () => {
    const clock = handClock()
    const lease = leased(clock, { roundTrip: 200 })
    clock.pass(50)
    expect(lease.holds(clock.now())).toBe(true)
    clock.pass(1)
    expect(lease.holds(clock.now())).toBe(false)
  })

  // A machine that was suspended does not notice by its monotonic clock. Seen to fail with monotonic time alone, as was the
  // next one.
  it.each([251, 100_000])('does not hold %i ms after a machine was suspended', (millis) => {
    const clock = handClock()
    const lease = leased(clock)
    clock.suspend(millis)
    expect(lease.ageMillis(clock.now())).toBe(millis)
    expect(lease.holds(clock.now())).toBe(false)
  })

  it('counts the time of a suspension that was shorter than half of the bound', () => {
    const clock = handClock()
    const lease = leased(clock)
    clock.pass(150)
    clock.suspend(100)
    expect(lease.holds(clock.now())).toBe(true)
    clock.pass(1)
    expect(lease.holds(clock.now())).toBe(false)
  })

  // A second belt, under the older clock. Seen to fail without it.
  it.each([126, -126, -3_600_000])('does not hold where the wall clock was set by %i ms: one of the clocks is wrong', (by) => {
    const clock = handClock()
    const lease = leased(clock)
    clock.setWall(by)
    expect(lease.holds(clock.now())).toBe(false)
  })

  it('is not made longer by a wall clock that is set back', () => {
    const clock = handClock()
    const lease = leased(clock)
    clock.setWall(-100)
    clock.pass(251)
    expect(lease.holds(clock.now())).toBe(false)
  })

  it('has the bound that came with the last pull', () => {
    const clock = handClock()
    const lease = leased(clock, { boundMillis: 60_000 })
    clock.pass(1_000)
    expect(lease.holds(clock.now())).toBe(true)
    lease.renew(clock.now(), clock.now(), { databaseTime: new Date(DATABASE_MILLIS), boundMillis: 100 })
    expect(lease.boundMillis).toBe(100)
    clock.pass(101)
    expect(lease.holds(clock.now())).toBe(false)
  })
})

describe('database time', () => {
  // An expired token is never allowed. Seen to fail with the time counted from the answer of the pull, or by monotonic
  // time alone, and without the millisecond that was cut off.
  it('is never later than the latest and never earlier than the earliest that it can be', () => {
    const times = fc.record({ there: fc.nat(100), back: fc.nat(100), rest: fc.nat(10_000), suspended: fc.nat(10_000), cut: fc.double({ min: 0, max: 0.999, noNaN: true }) })
    fc.assert(
      fc.property(times, ({ there, back, rest, suspended, cut }) => {
        const [clock, lease] = [handClock(), new Lease()]
        const asked = clock.now()
        clock.pass(there + back)
        lease.renew(asked, clock.now(), { databaseTime: new Date(DATABASE_MILLIS), boundMillis: 250 })
        clock.pass(rest)
        clock.suspend(suspended)
        const trueTime = DATABASE_MILLIS + cut + back + rest + suspended
        expect(lease.latestTime(clock.now())).toBeGreaterThanOrEqual(trueTime)
        expect(lease.earliestTime(clock.now())).toBeLessThanOrEqual(trueTime)
      }),
    )
  })

  it('can be anything before the first pull', () => {
    const { now } = handClock()
    expect([new Lease().earliestTime(now()), new Lease().latestTime(now())]).toEqual([-Infinity, Infinity])
  })

  it('does not go back for what has started by now when the wall clock is set back', () => {
    const clock = handClock()
    const lease = leased(clock)
    clock.pass(10)
    const before = lease.earliestTime(clock.now())
    clock.setWall(-50_000)
    expect(lease.earliestTime(clock.now())).toBe(before)
  })
})
