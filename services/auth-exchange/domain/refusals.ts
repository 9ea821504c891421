import { DomainError } from '#libs/domain-error.js'

// Every way in which auth-exchange says no, besides what libs say for all services. docs/errors.md has a row for each.

/** One answer whatever is wrong: the client id unknown, the secret wrong, expired, revoked or spent, the identity stopped. */
export const credentialsRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'CREDENTIALS_REJECTED', 'Client credentials were rejected.')

/** The same, and too often by now from this source. Never the answer to a good secret. */
export const loginThrottled = (retryAfterMillis: number): DomainError =>
  new DomainError('RESOURCE_EXHAUSTED', 'LOGIN_THROTTLED', 'Client credentials were rejected, and too often by now: correct them.', { retryAfterMillis })

/** One answer whatever is wrong: malformed, forged, unknown, expired or revoked. */
export const accessTokenRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED', 'The access token is not valid: log in again.')

/** The token is good, and UNAUTHENTICATED would have its holder throw it away. */
export const tokenNotRenewable = (expireTime: Date): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'TOKEN_NOT_RENEWABLE', `The access token lives until ${expireTime.toISOString()} and no renewal goes beyond: log in again before.`, {
    metadata: { expireTime: expireTime.toISOString() },
  })

export const authMethodNotFound = (identityId: string): DomainError =>
  new DomainError('NOT_FOUND', 'AUTH_METHOD_NOT_FOUND', `The identity ${identityId} has no Universal Auth.`, { metadata: { identityId } })

export const authMethodExists = (identityId: string): DomainError =>
  new DomainError('ALREADY_EXISTS', 'AUTH_METHOD_EXISTS', `The identity ${identityId} has Universal Auth already.`, { metadata: { identityId } })

export const identityNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'IDENTITY_NOT_FOUND', `There is no identity ${id}.`, { metadata: { id } })

export const identityNotActive = (identityId: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'IDENTITY_NOT_ACTIVE', `The identity ${identityId} is disabled: enable it first.`, { metadata: { identityId } })

export const clientSecretNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'CLIENT_SECRET_NOT_FOUND', `There is no client secret ${id}.`, { metadata: { id } })

export const tokenNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'TOKEN_NOT_FOUND', `There is no live access token ${id}.`, { metadata: { id } })

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
