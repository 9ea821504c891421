import type { Report } from '#libs/domain-error.js'
import { type AskedRules, assertionRulesFrom } from './asked-assertion-rules.js'
import { caCertificate, httpsUrl } from './asked-place.js'
import type { AssertionRules } from './assertion-rules.js'

/** What somebody asks for of whoever signs JWTs, as it comes. */
export type AskedJwt = AskedRules & { readonly jwksUrl: string; readonly caCertificate: string; readonly publicKeys: readonly string[] }

/** Keys are those at a URL, or those that are written down: one of the two. */
export type JwtConfiguration = AssertionRules & {
  readonly jwksUrl?: string | undefined
  readonly caCertificate?: string | undefined
  readonly publicKeys: readonly string[]
}

const MAX_KEYS = 10

/** `isKey`: whether a text is a public key that a signature may be verified with. */
export function jwtFrom(asked: AskedJwt, at: (field: string) => Report, isKey: (text: string) => boolean): JwtConfiguration {
  const { jwksUrl, publicKeys } = asked
  if ((jwksUrl === '') === (publicKeys.length === 0)) at('jwks_url')('must be set, or public_keys, and not both')
  if (publicKeys.length > MAX_KEYS) at('public_keys')(`must hold at most ${MAX_KEYS}`)
  for (const [place, key] of publicKeys.slice(0, MAX_KEYS).entries()) {
    if (!isKey(key)) at(`public_keys[${place}]`)('must be a public key for signatures, as PEM or JWK: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519')
  }
  const authorities = caCertificate(asked.caCertificate, at('ca_certificate'))
  if (authorities !== undefined && jwksUrl === '') at('ca_certificate')('must be empty where no URL is asked')
  return { ...assertionRulesFrom(asked, at), ...(jwksUrl !== '' && { jwksUrl: httpsUrl(jwksUrl, at('jwks_url')) }), caCertificate: authorities, publicKeys }
}
