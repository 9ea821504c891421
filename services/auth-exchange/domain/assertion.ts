import { isCanonicalBase64Url } from './base64url.js'
import { type JsonObject, jsonObjectFrom, memberOf } from './json-object.js'
import { Unproven } from './unproven.js'

/** What an issuer may sign assertions with. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

export type Algorithm = (typeof ALGORITHMS)[number]

/** A JWT that somebody else issued, in its one spelling. Nothing of it is proven before its signature is. */
export type Assertion = {
  readonly text: string
  readonly algorithm: Algorithm
  /** The key that is said to have signed it. */
  readonly keyId: string | undefined
  readonly claims: JsonObject
}

const MAX_LENGTH = 8_192

/** Other kinds of JWT say so: an access token or a logout token is no proof of who shows it. */
const TYPES = new Set(['JWT', 'JOSE', 'APPLICATION/JWT'])

/** Keys that a token brings itself prove nothing, and what must be understood is not. */
const REFUSED_HEADERS = ['crit', 'jwk', 'jku', 'x5u', 'x5c', 'b64', 'zip', 'enc', 'cty']

const KEY_ID = /^[\x21-\x7e]{1,256}$/

/** Whether a text could be a JWT: three parts, each in its one spelling. */
export const isAssertionText = (text: string): boolean => segmentsOf(text) !== undefined

/** The assertion that a text spells. */
export function assertionFrom(text: string): Assertion {
  const [header, claims] = (segmentsOf(text) ?? []).slice(0, 2).map((segment) => jsonObjectFrom(Buffer.from(segment, 'base64url')))
  if (!header || !claims) throw new Unproven('malformed')
  return { text, ...headerOf(header), claims }
}

function segmentsOf(text: string): readonly string[] | undefined {
  const segments = text.length <= MAX_LENGTH ? text.split('.', 4) : []
  return segments.length === 3 && segments.every(isCanonicalBase64Url) ? segments : undefined
}

function headerOf(header: JsonObject): Pick<Assertion, 'algorithm' | 'keyId'> {
  const refused = REFUSED_HEADERS.find((name) => memberOf(header, name) !== undefined)
  if (refused !== undefined) throw new Unproven(`header ${refused} not allowed`)
  const [given, typ, kid] = ['alg', 'typ', 'kid'].map((name) => memberOf(header, name))
  const algorithm = ALGORITHMS.find((known) => known === given)
  if (!algorithm) throw new Unproven('algorithm not allowed')
  if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toUpperCase()))) throw new Unproven('type not allowed')
  if (kid === undefined) return { algorithm, keyId: undefined }
  if (typeof kid !== 'string' || !KEY_ID.test(kid)) throw new Unproven('key id malformed')
  return { algorithm, keyId: kid }
}
