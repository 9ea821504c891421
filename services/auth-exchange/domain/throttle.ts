import { buckets } from './buckets.js'
import { afterFailure, type FailureCount, isThrottled, type LockoutSettings, NO_FAILURES, STANDARD_LOCKOUT, stillCounts } from './lockout.js'

/** Whose try to log in it is: a source, as `sourceOf` names it, and the client id that it showed, whether or not there is one. */
export type Login = { readonly source: string; readonly clientId: string }

/** What a client has of its own, for whoever showed that they know one of its secrets by its id. */
export type OwnLockout = {
  readonly settings: LockoutSettings
  /** What failed before is forgotten. */
  readonly clearTime: Date | null
}

/** Failures from the source for the client are being throttled. */
export type ActiveLockout = Login & { readonly endTime: Date }

/** Counts failed logins and says which are throttled. A good login is none of its business: no count keeps one out. */
export type LoginThrottle = {
  /** Whether a failure would be throttled, by what everybody has alike. */
  isSuspect(login: Login, now: Date): boolean
  /** Counts a failure. Answers until when failures are throttled, where this one is. */
  failed(login: Login, now: Date, own?: OwnLockout): Date | undefined
  succeeded(login: Login): void
  /** Those that end last first. */
  lockoutsOf(clientId: string, now: Date): ActiveLockout[]
  /** Forgets the failures of a client, and answers how many lockouts that ended. */
  clear(clientId: string, now: Date): number
}

/** Whoever fails for ever other client ids; from behind one address may come many who have nothing to do with each other. */
const SOURCE_LOCKOUT: LockoutSettings = { lockoutEnabled: true, lockoutThreshold: 100, lockoutDurationSeconds: 60, lockoutCounterResetSeconds: 60 }

type Counted = Login & {
  readonly beginMillis: number
  /** Every failure, judged by what everybody has alike. */
  readonly standard: FailureCount
  /** Every failure, judged by the client's own settings, since they are known. */
  readonly own: { readonly count: FailureCount; readonly settings: LockoutSettings } | undefined
}

export type ThrottleLimits = { readonly sources: number; readonly logins: number }

const LIMITS: ThrottleLimits = { sources: 10_000, logins: 20_000 }

export function loginThrottle(limits: ThrottleLimits = LIMITS): LoginThrottle & { readonly size: number } {
  const sources = buckets<FailureCount>(limits.sources, (count, millis) => stillCounts(count, SOURCE_LOCKOUT, millis))
  const logins = buckets<Counted>(limits.logins, ({ standard, own }, millis) =>
    stillCounts(standard, STANDARD_LOCKOUT, millis) || (own !== undefined && stillCounts(own.count, own.settings, millis)))
  const ofSource = ({ source }: Login, millis: number): FailureCount => sources.get(sources.placeOf(source, millis)) ?? NO_FAILURES
  const countedOf = (clientId: string) => [...logins.entries()].filter(([key, counted]) => counted.clientId === clientId && key === keyOf(counted))
  const lockoutsOf = (clientId: string, now: Date): ActiveLockout[] =>
    countedOf(clientId)
      .map(([, { source, standard, own }]) => ({ source, clientId, endTime: new Date((own?.count ?? standard).untilMillis) }))
      .filter(({ endTime }) => endTime > now)
      .sort((one, other) => other.endTime.getTime() - one.endTime.getTime())
  return {
    isSuspect: (login, now) => {
      const millis = now.getTime()
      const standard = logins.get(logins.placeOf(keyOf(login), millis))?.standard ?? NO_FAILURES
      return isThrottled(standard, millis) || isThrottled(ofSource(login, millis), millis)
    },
    failed: (login, now, given) => {
      const [key, millis] = [keyOf(login), now.getTime()]
      const place = logins.placeOf(key, millis)
      // What is shared by many is judged by what everybody has alike.
      const own = place === key ? given : undefined
      const before = remembered(logins.get(place), own)
      const source = ofSource(login, millis)
      const judged = (own && before?.own?.count) ?? before?.standard ?? NO_FAILURES
      const untilMillis = Math.max(source.untilMillis, judged.untilMillis)
      // A source that is throttled fills nothing: its failures are answered alike whatever they are for.
      if (before || !isThrottled(source, millis)) logins.set(place, counted(login, millis, { before, own }))
      sources.set(sources.placeOf(login.source, millis), afterFailure(source, SOURCE_LOCKOUT, millis))
      return untilMillis > millis ? new Date(untilMillis) : undefined
    },
    succeeded: (login) => logins.delete(keyOf(login)),
    lockoutsOf,
    clear: (clientId, now) => {
      const ended = lockoutsOf(clientId, now).length
      for (const [key] of countedOf(clientId)) logins.delete(key)
      return ended
    },
    get size() {
      return sources.size + logins.size
    },
  }
}

const keyOf = ({ source, clientId }: Login): string => `${clientId} ${source}`

const remembered = (before: Counted | undefined, own: OwnLockout | undefined): Counted | undefined =>
  before && own?.clearTime && before.beginMillis < own.clearTime.getTime() ? undefined : before

type Known = { readonly before: Counted | undefined; readonly own: OwnLockout | undefined }

function counted(login: Login, millis: number, { before, own }: Known): Counted {
  const standard = afterFailure(before?.standard ?? NO_FAILURES, STANDARD_LOCKOUT, millis)
  const settings = own?.settings ?? before?.own?.settings
  // Until its settings are known they are taken to be those that everybody has.
  const count = settings && afterFailure(before?.own?.count ?? before?.standard ?? NO_FAILURES, settings, millis)
  return { ...login, beginMillis: before?.beginMillis ?? millis, standard, own: settings && count && { count, settings } }
}
