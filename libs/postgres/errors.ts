import { DomainError } from '../domain-error.js'
import { connectionProblem } from '../store-tls.js'

/** The SQLSTATE of a server error, or the code of a socket error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** The constraint that a unique or foreign key violation names. */
export function constraintOf(error: unknown): string | undefined {
  const isViolation = ['23505', '23503'].includes(codeOf(error))
  return isViolation && error instanceof Error && 'constraint' in error ? String(error.constraint) : undefined
}

// Serialization failure, deadlock, lock timeout: nothing happened, the whole transaction may be repeated.
const REPEATABLE = new Set(['40001', '40P01', '55P03'])

export const isRepeatable = (error: unknown): boolean => REPEATABLE.has(codeOf(error))

/** For a transaction that finds what it read before its locks changed: as good as a serialization failure of the server's. */
export const changedMeanwhile = (): Error => Object.assign(new Error('What was to be locked changed while it was locked.'), { code: '40001' })

export const contention = (cause: unknown): DomainError =>
  new DomainError('ABORTED', 'CONTENTION', 'Too many changes of the same things are under way; nothing was changed.', { cause, retryAfterMillis: 100 })

// Connection trouble (08), resources (53), operator intervention (57), system errors (58), read-only after a failover.
const UNAVAILABLE = /^(08...|53...|57...|58...|25006|ECONN[A-Z]+|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENOENT)$/
const UNAVAILABLE_TEXT = /timeout exceeded when trying to connect|Connection terminated|Query read timeout|not queryable|connection timeout/i

/** Whether the connection that failed must not be used again. */
export function isUnreachable(error: unknown): boolean {
  return UNAVAILABLE.test(codeOf(error)) || (error instanceof Error && UNAVAILABLE_TEXT.test(error.message))
}

/** UNAVAILABLE for whatever says that the database could not be reached or did not answer; other errors as they are. */
export function translated(error: unknown): unknown {
  return isUnreachable(error) ? databaseUnavailable(error) : error
}

/** Of what was found wrong while connecting: no statement was sent. Callers are not told what it was, and operators are. */
export const notConnected = (cause: unknown): DomainError => databaseUnavailable(Object.assign(new Error(`PostgreSQL: ${connectionProblem(cause)}`), { code: codeOf(cause) }))

const databaseUnavailable = (cause: unknown): DomainError =>
  new DomainError('UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'The database could not be reached in time.', { cause, retryAfterMillis: 200 })
