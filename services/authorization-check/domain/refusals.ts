import { DomainError } from '#libs/domain-error.js'

// Every way in which authorization-check says no, besides what libs say for all services. docs/errors.md has a row for each.

/** One answer whatever is wrong with the checked token, or with the identity that it is of. */
export const accessTokenRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED', 'The access token is not valid: log in again.')

/** About the asking side's own token, so that nobody mistakes it for an answer about the checked one. */
export const callerTokenRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'CALLER_TOKEN_REJECTED', 'The token of the caller, in `authorization`, is missing or not valid.')

export const checkNotAllowed = (): DomainError =>
  new DomainError('PERMISSION_DENIED', 'CHECK_NOT_ALLOWED', "The caller's roles do not allow check on authorization.")
