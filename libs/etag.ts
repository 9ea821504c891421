import { DomainError } from './domain-error.js'

export const etagStale = (): DomainError =>
  new DomainError('ABORTED', 'ETAG_STALE', 'It was changed since you read it: read it again and decide anew.')

/** Refuses unless what is stored still carries the etag that the caller saw, if it named one. */
export function assertEtag(stored: { readonly etag: string }, seen: string | undefined): void {
  if (seen !== undefined && seen !== stored.etag) throw etagStale()
}
