import { type AccessTokenRecord, type Claims, lifeFrom } from './access-token.js'
import type { TokenSettings } from './token-settings.js'

/** For whom a token is issued, by what, and what it is given. */
type Issue = Omit<TokenSettings, 'accessTokenTrustedIps'> &
  Pick<AccessTokenRecord, 'organizationId' | 'identityId' | 'method' | 'credentialId' | 'credentialEpoch' | 'methodEpoch' | 'identityEpoch' | 'organizationEpoch' | 'authClaims'> & { readonly clientId: string }

/** A lineage that begins now, and what its first token claims. */
export function issuedToken(issue: Issue, { id, now }: { readonly id: string; readonly now: Date }): { readonly token: AccessTokenRecord; readonly claims: Claims } {
  const { organizationId, identityId, clientId, method, credentialId, credentialEpoch, methodEpoch, identityEpoch, organizationEpoch, authClaims } = issue
  const life = lifeFrom(now, issue)
  const epochs = { credentialEpoch, methodEpoch, identityEpoch, organizationEpoch }
  const token = { organizationId, id, identityId, method, credentialId, ...epochs, ...life, useLimit: issue.accessTokenUseLimit, authClaims, revokeTime: null }
  const [iat, exp] = [life.issueTime.getTime() / 1000, life.expireTime.getTime() / 1000]
  return { token, claims: { jti: id, sub: identityId, org: organizationId, sid: credentialId, amr: [method], client_id: clientId, iat, exp } }
}
