import type { Login } from './throttle.js'

/** Why a login was refused: the true reason, for log, audit and metrics. `overtaken`: spent, revoked or voided while it was under way. */
export type LoginFailure = 'malformed' | 'unknown' | 'wrong' | 'revoked' | 'expired' | 'spent' | 'untrusted-address' | 'unproven' | 'identity-not-active' | 'overtaken'

export type FailedLogin = Login & {
  readonly method: string
  readonly reason: LoginFailure
  /** What was wrong with an assertion. */
  readonly detail?: string | undefined
  readonly throttled: boolean
}

/** Failures of one client for one reason since they were last taken. */
export type FailureTally = Pick<FailedLogin, 'method' | 'reason' | 'detail'> & {
  /** Of Universal Auth; of other methods the id of the identity. */
  readonly clientId: string
  readonly count: number
  /** How many of them were told to wait. */
  readonly throttled: number
  /** The first few. */
  readonly sources: readonly string[]
  readonly firstTime: Date
  readonly lastTime: Date
}

export type FailureTallies = {
  add(failed: FailedLogin, now: Date): void
  /** All since the last time, which are then forgotten here. */
  take(): FailureTally[]
  /** What was taken and could not be written. */
  putBack(tallies: readonly FailureTally[]): void
}

const MOST_SOURCES = 5

/** Whoever names a secret that there is has shown that the client id is real; of the others most may be made up. */
const MOST_REAL = 5_000
const MOST_OTHERS = 1_000

const IS_REAL: Record<LoginFailure, boolean> = {
  malformed: false,
  unknown: false,
  wrong: true,
  revoked: true,
  expired: true,
  spent: true,
  'untrusted-address': true,
  unproven: false,
  'identity-not-active': true,
  overtaken: true,
}

/** Failed logins in bounded memory: beyond it they are counted by metrics alone. */
export function failureTallies(): FailureTallies {
  const [real, others] = [new Map<string, FailureTally>(), new Map<string, FailureTally>()]
  const merge = (tally: FailureTally): void => {
    const [tallies, most] = IS_REAL[tally.reason] ? [real, MOST_REAL] : [others, MOST_OTHERS]
    const key = [tally.clientId, tally.method, tally.reason, tally.detail].join()
    const before = tallies.get(key)
    if (before || tallies.size < most) tallies.set(key, before ? sum(before, tally) : tally)
  }
  return {
    add: ({ clientId, method, source, reason, detail, throttled }, now) =>
      merge({ clientId, method, reason, detail, count: 1, throttled: throttled ? 1 : 0, sources: [source], firstTime: now, lastTime: now }),
    take: () => {
      const taken = [...real.values(), ...others.values()]
      real.clear()
      others.clear()
      return taken
    },
    putBack: (tallies) => tallies.forEach(merge),
  }
}

function sum(one: FailureTally, other: FailureTally): FailureTally {
  const isKnown = other.sources.every((source) => one.sources.includes(source))
  const sources = isKnown || one.sources.length === MOST_SOURCES ? one.sources : [...new Set([...one.sources, ...other.sources])].slice(0, MOST_SOURCES)
  const [firstTime, lastTime] = [one.firstTime < other.firstTime ? one.firstTime : other.firstTime, one.lastTime > other.lastTime ? one.lastTime : other.lastTime]
  return { ...one, count: one.count + other.count, throttled: one.throttled + other.throttled, sources, firstTime, lastTime }
}
