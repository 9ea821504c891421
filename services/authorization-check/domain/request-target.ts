import { canonicalPath } from '#libs/rules/path.js'
import { pathNotCanonical } from './refusals.js'

/** What an HTTP request is for: its path in one spelling, and its query as it came. */
export type Target = { readonly path: string; readonly segments: readonly string[]; readonly query: string }

// What one server takes for a path and the next for another one, or for two: parameters, a fragment, empty and dot segments,
// what could be decoded twice. Guessing would judge one path and serve another. The rest is what canonicalPath refuses.
const DISPUTED = /[;#\ufffd]|\/\/|%(?:25|3b)|\/(?:\.|%2e){1,2}(?:\/|$)/i

/** Percent-encoding is undone once; there is no `/` at the end, as everywhere in rules. Refuses with PATH_NOT_CANONICAL. */
export function targetOf(text: string): Target {
  const cut = text.indexOf('?')
  const given = cut === -1 ? text : text.slice(0, cut)
  const query = cut === -1 ? '' : text.slice(cut + 1)
  // A fragment is never sent; what comes after its sign is a part of the query to some.
  if (!given.startsWith('/') || DISPUTED.test(given) || query.includes('#')) throw pathNotCanonical()
  const { path } = canonicalPath(given)
  if (path === undefined) throw pathNotCanonical()
  return { path, segments: path === '/' ? [] : path.slice(1).split('/'), query }
}
