import { DomainError, type Kind } from '#libs/domain-error.js'
import { Failure } from '../failure.js'
import type { Setback } from './fresh-token.js'

// Nothing that passes by itself: the secret is wrong, revoked or spent, or it may not be used from here.
const REFUSALS: readonly Kind[] = ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'INVALID_ARGUMENT']

/** What another attempt may find otherwise. */
const PASSING: readonly Kind[] = ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'ABORTED']

/** It is said of credentials that are not good, and of no others: those that are good are accepted at once, so its time to wait means nothing here. */
const isThrottled = ({ reason }: DomainError): boolean => reason === 'LOGIN_THROTTLED'

/** What a server said, where one did. */
function toldBy(error: unknown): DomainError | undefined {
  const told = error instanceof Failure ? error.cause : error
  return told instanceof DomainError ? told : undefined
}

export function setbackOf(error: unknown): Setback {
  const told = toldBy(error)
  if (told === undefined) return { isRefusal: false, retryAfterMillis: undefined }
  return { isRefusal: REFUSALS.includes(told.kind) || isThrottled(told), retryAfterMillis: isThrottled(told) ? undefined : told.retryAfterMillis }
}

/** Whether a server answered, and will answer the same again. */
export function isFinal(error: unknown): boolean {
  const told = toldBy(error)
  return told !== undefined && !PASSING.includes(told.kind)
}
