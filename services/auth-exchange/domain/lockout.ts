/** When failed logins are throttled, as an identity has it. */
export type LockoutSettings = {
  readonly lockoutEnabled: boolean
  /** So many failures, each within `lockoutCounterResetSeconds` of the one before. */
  readonly lockoutThreshold: number
  readonly lockoutDurationSeconds: number
  readonly lockoutCounterResetSeconds: number
}

export const STANDARD_LOCKOUT: LockoutSettings = { lockoutEnabled: true, lockoutThreshold: 3, lockoutDurationSeconds: 300, lockoutCounterResetSeconds: 30 }

/** Failures that were counted. Times are milliseconds since 1970. */
export type FailureCount = {
  readonly failures: number
  readonly lastMillis: number
  /** When failures are no longer throttled; 0 where they never were. */
  readonly untilMillis: number
}

export const NO_FAILURES: FailureCount = { failures: 0, lastMillis: 0, untilMillis: 0 }

export const isThrottled = ({ untilMillis }: FailureCount, millis: number): boolean => untilMillis > millis

/** Failures that are throttled are not counted: whoever goes on is answered as at first some time. */
export function afterFailure(count: FailureCount, settings: LockoutSettings, millis: number): FailureCount {
  if (!settings.lockoutEnabled) return NO_FAILURES
  if (isThrottled(count, millis)) return count
  const goesOn = count.untilMillis === 0 && millis - count.lastMillis <= settings.lockoutCounterResetSeconds * 1000
  const failures = goesOn ? count.failures + 1 : 1
  const untilMillis = failures >= settings.lockoutThreshold ? millis + settings.lockoutDurationSeconds * 1000 : 0
  return { failures, lastMillis: millis, untilMillis }
}

/** Whether the next failure is judged otherwise than if there had been none before. */
export const stillCounts = (count: FailureCount, settings: LockoutSettings, millis: number): boolean =>
  isThrottled(count, millis) || (count.untilMillis === 0 && millis - count.lastMillis <= settings.lockoutCounterResetSeconds * 1000)
