import { DomainError } from '#libs/domain-error.js'

// Every way in which authorization-check says no, besides what libs say for all services. docs/errors.md has a row for each.

/** One answer whatever is wrong with the checked token, or with the identity that it is of. */
export const accessTokenRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED', 'The access token is not valid: log in again.')

/** The same for the name in a client certificate. */
export const principalRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'PRINCIPAL_REJECTED', 'The certificate is of no identity that is active: send an access token, or have its name made a principal.')

/** About the asking side's own token, so that nobody mistakes it for an answer about the checked one. */
export const callerTokenRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'CALLER_TOKEN_REJECTED', 'The token of the caller, in `authorization`, is missing or not valid.')

export const checkNotAllowed = (): DomainError =>
  new DomainError('PERMISSION_DENIED', 'CHECK_NOT_ALLOWED', "The caller's roles do not allow check on authorization.")

/** Of a request that a proxy asks about: what follows is about that request, and no word about a token. */
export const authorizationMalformed = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'AUTHORIZATION_MALFORMED', 'Send `authorization` once, as `Bearer ACCESS_TOKEN`.')

export const pathNotCanonical = (): DomainError =>
  new DomainError('PERMISSION_DENIED', 'PATH_NOT_CANONICAL', 'The path of the request is spelled in a way that servers read differently.')

export const requestNotRecognized = (): DomainError =>
  new DomainError('PERMISSION_DENIED', 'REQUEST_NOT_RECOGNIZED', 'The request does not say what its route asks about: an action, a resource or a project.')

/** The operator's mistake, so neither an allow nor a deny. */
export const routeMisconfigured = (problem: string): DomainError =>
  new DomainError('INTERNAL', 'ROUTE_MISCONFIGURED', 'The context extensions of the route are not valid.', { metadata: { problem } })
