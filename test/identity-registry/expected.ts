// Refusals that every service has, as a caller sees them.

export const invalid = (...fields: string[]) =>
  ({ kind: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', violations: fields.map((field) => ({ field })) })

export const notAllowed = (action: string, resource: string) => ({ kind: 'PERMISSION_DENIED', reason: 'NOT_ALLOWED', metadata: { action, resource } })

export const escalation = { kind: 'PERMISSION_DENIED', reason: 'ESCALATION' }

export const etagStale = { kind: 'ABORTED', reason: 'ETAG_STALE' }

export const identityNotFound = { kind: 'NOT_FOUND', reason: 'IDENTITY_NOT_FOUND' }

export const projectNotFound = { kind: 'NOT_FOUND', reason: 'PROJECT_NOT_FOUND' }

export const roleNotFound = { kind: 'NOT_FOUND', reason: 'ROLE_NOT_FOUND' }
