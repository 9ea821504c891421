import { DomainError } from '#libs/domain-error.js'
import type { Unusable } from './client-secret.js'

// Every way in which auth-exchange says no, besides what libs say for all services. docs/errors.md has a row for each.

/** One answer whatever is wrong: the client id unknown, the secret wrong, expired, revoked or spent, the identity stopped. */
export const credentialsRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'CREDENTIALS_REJECTED', 'Client credentials were rejected.')

/** The same, and too often by now from this source. Never the answer to a good secret. */
export const loginThrottled = (retryAfterMillis: number): DomainError =>
  new DomainError('RESOURCE_EXHAUSTED', 'LOGIN_THROTTLED', 'Client credentials were rejected, and too often by now: correct them.', { retryAfterMillis })

/** Said only to whoever showed a secret that is good. */
export const sourceNotTrusted = (address: string | undefined): DomainError =>
  new DomainError('PERMISSION_DENIED', 'SOURCE_NOT_TRUSTED', `The client secret may not be used from ${address ?? 'an address that is not known'}.`, {
    metadata: { address: address ?? '' },
  })

/** One answer whatever is wrong: malformed, unknown, expired, used, or its secret revoked. */
export const wrappingTokenRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'WRAPPING_TOKEN_REJECTED', 'The wrapping token is not valid: if it was just given to you, have its secret revoked.')

/** Nothing is known against the proof: keep it and try again. Why is for the log: it says what this machine can reach. */
export const issuerUnreachable = (cause: unknown): DomainError =>
  new DomainError('UNAVAILABLE', 'ISSUER_UNREACHABLE', 'Whoever issued what was shown, and has to be asked about it, could not be asked: try again.', { cause })

/** One answer whatever is wrong: malformed, forged, unknown, expired or revoked. */
export const accessTokenRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED', 'The access token is not valid: log in again.')

/** The token is good, and UNAUTHENTICATED would have its holder throw it away. */
export const tokenNotRenewable = (expireTime: Date): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'TOKEN_NOT_RENEWABLE', `The access token lives until ${expireTime.toISOString()} and no renewal goes beyond: log in again before.`, {
    metadata: { expireTime: expireTime.toISOString() },
  })

type OfMethod = { readonly identityId: string; readonly method: string }

export const authMethodNotFound = ({ identityId, method }: OfMethod): DomainError =>
  new DomainError('NOT_FOUND', 'AUTH_METHOD_NOT_FOUND', `The identity ${identityId} has no ${method}.`, { metadata: { identityId, method } })

export const authMethodExists = ({ identityId, method }: OfMethod): DomainError =>
  new DomainError('ALREADY_EXISTS', 'AUTH_METHOD_EXISTS', `The identity ${identityId} has ${method} already.`, { metadata: { identityId, method } })

export const identityNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'IDENTITY_NOT_FOUND', `There is no identity ${id}.`, { metadata: { id } })

export const identityNotActive = (identityId: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'IDENTITY_NOT_ACTIVE', `The identity ${identityId} is disabled: enable it first.`, { metadata: { identityId } })

export const clientSecretNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'CLIENT_SECRET_NOT_FOUND', `There is no client secret ${id}.`, { metadata: { id } })

export const clientSecretNotLive = (id: string, state: Unusable): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'CLIENT_SECRET_NOT_LIVE', `The client secret ${id} is ${state}: make another in its place.`, { metadata: { id, state } })

export const clientSecretRotated = (id: string, successorId: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'CLIENT_SECRET_ROTATED', `The client secret ${id} was rotated already: its successor is ${successorId}.`, { metadata: { id, successorId } })

export const tokenNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'TOKEN_NOT_FOUND', `There is no live access token ${id}.`, { metadata: { id } })

export const tokenNotNamed = (id: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'TOKEN_NOT_NAMED', `The access token ${id} was obtained by a login: only tokens of Token Auth have names.`, { metadata: { id } })

export const principalNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'PRINCIPAL_NOT_FOUND', `There is no principal ${id}.`, { metadata: { id } })

export const principalNameTaken = (name: string): DomainError =>
  new DomainError('ALREADY_EXISTS', 'PRINCIPAL_NAME_TAKEN', `There is a principal ${name} already.`, { metadata: { name } })

export const bootstrapConflict = (): DomainError =>
  new DomainError('ALREADY_EXISTS', 'BOOTSTRAP_CONFLICT', 'The client id, the identity or the id of the secret belongs to something else.')

export const signingKeyNotFound = (kid: string): DomainError =>
  new DomainError('NOT_FOUND', 'SIGNING_KEY_NOT_FOUND', `There is no signing key ${kid}.`, { metadata: { kid } })

export const signingKeyActive = (kid: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'SIGNING_KEY_ACTIVE', `The key ${kid} signs every token that is issued: rotate at once, then revoke it.`, { metadata: { kid } })

export const hashingBusy = (): DomainError =>
  new DomainError('RESOURCE_EXHAUSTED', 'HASHING_BUSY', 'Too many secrets are being hashed.', { retryAfterMillis: 1000 })
