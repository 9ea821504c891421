import type { Evidence, TimeBetween } from './decide.js'

/**
 * How long an answer may be given again, counted from when it was asked for: for what is left of the bound, and not beyond
 * the credential's end or the start or end of a role's window. Whole milliseconds. Never where each answer takes a use, or where
 * the same request from another address has another answer.
 */
export function cacheableMillis({ credential, grants, credentialTime, grantsTime }: Omit<Evidence, 'roles'>, leftOfBoundMillis: number): number {
  if (credential.useLimited || credential.trusted) return 0
  const ends = grants.grants.flatMap(({ startMillis, endMillis }) => [startMillis, endMillis])
  const left = [credential.expireMillis - credentialTime.latest, ...ends.filter(isAhead(grantsTime)).map((end) => end - grantsTime.latest)]
  return Math.max(0, Math.floor(Math.min(leftOfBoundMillis, ...left)))
}

const isAhead = ({ earliest }: TimeBetween) => (end: number): boolean => end > earliest
