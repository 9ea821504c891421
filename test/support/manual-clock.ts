import type { Clock } from '#libs/clock.js'

/** A clock that stands still until it is moved. */
export type ManualClock = Clock & { advance(millis: number): void }

export function manualClock(start: Date): ManualClock {
  let millis = start.getTime()
  return {
    now: () => new Date(millis),
    advance: (more) => {
      millis += more
    },
  }
}

/** A manual clock at the beginning of the present second. Tokens begin and end on whole seconds: elsewhere in one, what a test sees after some seconds would depend on when it was run. */
export const manualClockFromNow = () => manualClock(new Date(Math.floor(Date.now() / SECOND) * SECOND))

export const SECOND = 1_000
export const MINUTE = 60_000
export const HOUR = 3_600_000
