import type { Report } from '../domain-error.js'
import { isId } from '../ids.js'

/** Pages go by id, that is, by time of creation: a token says which id the page before ended with. */
export type Page = { readonly size: number; readonly after: string | undefined }

const DEFAULT_SIZE = 50
const MAX_SIZE = 200

export function pageOf(request: { pageSize: number; pageToken: string }, report: (field: string) => Report): Page {
  const { pageSize, pageToken } = request
  if (pageSize < 0 || pageSize > MAX_SIZE) report('page_size')(`must be from 0 to ${MAX_SIZE}`)
  const after = Buffer.from(pageToken, 'base64url').toString()
  if (pageToken !== '' && (!isId(after) || tokenAfter(after) !== pageToken)) report('page_token')('must be a next_page_token of a page before')
  return { size: pageSize === 0 ? DEFAULT_SIZE : pageSize, after: pageToken === '' ? undefined : after }
}

const tokenAfter = (id: string): string => Buffer.from(id).toString('base64url')

/**
 * The page's items and the token of the next page, from one item more than the page holds; or, where it was not looked for
 * items to the end, from where the search stopped.
 */
export function pageFrom<T extends { id: string }>(page: Page, found: readonly T[], searchedTo?: string): { items: T[]; nextPageToken: string } {
  const items = found.slice(0, page.size)
  const end = found.length > page.size ? items.at(-1)?.id : searchedTo
  return { items, nextPageToken: end === undefined ? '' : tokenAfter(end) }
}
