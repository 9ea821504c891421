// The only file that reads a clock. Everything else is given one, so that tests can move it.

export type Clock = { now(): Date }

/** Milliseconds that only go forward, from an arbitrary start: for durations and deadlines. */
export const monotonicMillis = (): number => performance.now()

/** The machine's wall clock in milliseconds since 1970: to translate deadlines from and to the wire, never for expiry. */
export const wallMillis = (): number => Date.now()

/** One moment by both clocks of the machine, in milliseconds: the monotonic one stands still while it is suspended. */
export type Moment = { readonly monotonic: number; readonly wall: number }

export const momentNow = (): Moment => ({ monotonic: monotonicMillis(), wall: wallMillis() })

export const systemClock: Clock = { now: () => new Date() }

export type DatabaseClock = Clock & { observe(databaseTime: Date, asked: Moment, answered: Moment): void }

/** An answer that took longer says too little about when it was made: a database that stood still would set the clock ahead. */
const ANSWERED_WITHIN_MILLIS = 250

/**
 * Database time as last observed, plus the time since it was asked for: the larger of monotonic and wall time, because
 * the one stands still while a machine is suspended and the other can be set back. So it may run ahead of the database by
 * one round trip, and expiry comes early rather than late; the first answer counts whatever it took. Rounded up, because what was observed had been rounded down.
 */
export function databaseClock(): DatabaseClock {
  let observed = { time: wallMillis(), took: Infinity, ...momentNow() }
  return {
    now: () =>
      new Date(Math.ceil(observed.time + Math.max(monotonicMillis() - observed.monotonic, wallMillis() - observed.wall))),
    observe: (databaseTime, asked, answered) => {
      const took = Math.max(answered.monotonic - asked.monotonic, answered.wall - asked.wall)
      if (took <= ANSWERED_WITHIN_MILLIS || took <= observed.took) observed = { time: databaseTime.getTime(), took, ...asked }
    },
  }
}
