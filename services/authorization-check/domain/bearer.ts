import { authorizationMalformed } from './refusals.js'

// RFC 6750. A comma is none of it, by which a proxy joins headers that came twice.
const BEARER = /^bearer ([A-Za-z0-9._~+/-]{1,4096}=*)$/i

/** The one token of the `authorization` headers of a request, or undefined where it has none. Refuses whatever else there is. */
export function bearerIn(authorization: readonly string[]): string | undefined {
  const [only, ...more] = authorization
  if (only === undefined) return undefined
  const [, token] = more.length > 0 ? [] : (BEARER.exec(only) ?? [])
  if (token === undefined) throw authorizationMalformed()
  return token
}
