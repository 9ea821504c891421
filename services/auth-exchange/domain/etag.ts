import { etagStale } from './refusals.js'

/** Refuses unless what is stored still carries the etag that the caller saw, if it named one. */
export function assertEtag(stored: { readonly etag: string }, seen: string | undefined): void {
  if (seen !== undefined && seen !== stored.etag) throw etagStale()
}
