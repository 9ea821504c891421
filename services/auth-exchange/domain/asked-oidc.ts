import type { Report } from '#libs/domain-error.js'
import { type AskedRules, assertionRulesFrom } from './asked-assertion-rules.js'
import { caCertificate, httpsUrl } from './asked-place.js'
import type { AssertionRules } from './assertion-rules.js'

/** What somebody asks for of an OpenID Connect issuer, as it comes. */
export type AskedOidc = AskedRules & { readonly caCertificate: string }

export type OidcConfiguration = AssertionRules & { readonly caCertificate?: string | undefined }

export function oidcFrom(asked: AskedOidc, at: (field: string) => Report): OidcConfiguration {
  // Where its discovery document is, its name says.
  httpsUrl(asked.issuer, at('issuer'))
  if (asked.issuer.includes('?')) at('issuer')('must have no query')
  return { ...assertionRulesFrom(asked, at), caCertificate: caCertificate(asked.caCertificate, at('ca_certificate')) }
}
