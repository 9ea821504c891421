import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { displayName, id as idField } from '#libs/fields.js'
import { contention } from '#libs/postgres/errors.js'
import { repeating } from '#libs/postgres/transaction.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CreateAccessTokenRequest, CreateAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { lastExpireTime } from '../domain/access-token.js'
import { TOKEN_AUTH } from '../domain/auth-method.js'
import { issuedToken } from '../domain/issued-token.js'
import { identityNotActive, identityNotFound } from '../domain/refusals.js'
import type { ActiveTokens, Coverage, IdentityReader, TokenSigner, Writing } from '../ports.js'
import { getIssuingMethod } from '../store/auth-methods.js'
import { recordMethodLogin } from '../store/method-logins.js'

type Outside = Omit<Writing, 'feed'> & {
  readonly identities: IdentityReader
  readonly coverage: Coverage
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
}

export function createAccessToken(outside: Outside): Unary<CreateAccessTokenRequest, CreateAccessTokenResponse> {
  const { db, authorization, identities, coverage, signer, activeTokens, ids, clock } = outside
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const name = displayName(request.name, wrong.at('name'))
    wrong.refuse()
    const about = { resource: 'access-token', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'create', ...about })
    const owner = { organizationId: caller.organizationId, identityId }
    const state = await identities.stateOf(owner, call)
    if (state === 'absent') throw identityNotFound(identityId)
    if (state === 'disabled') throw identityNotActive(identityId)
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const key = { ...owner, method: TOKEN_AUTH }
    const method = await getIssuingMethod(db, key)
    const by = { clientId: identityId, credentialId: method.id, credentialEpoch: method.epoch, methodEpoch: method.epoch }
    const { token, claims } = issuedToken({ ...method, ...by }, { id: ids.next(), now: clock.now() })
    const { text: accessToken, digest } = await signer.sign(claims, method.signingKid)
    const { id, expireTime } = token
    const event = auditEvent(call, caller, { eventId: ids.next(), type: 'access-token', id, details: { identityId, method: TOKEN_AUTH, credentialId: method.id, name } })
    if (!(await repeating(call.deadline, () => recordMethodLogin(db, { token: { ...token, name }, event })))) {
      await getIssuingMethod(db, key)
      throw contention(undefined)
    }
    activeTokens.keep({ digest, record: token, trustedIps: method.accessTokenTrustedIps, stamp: method.stamp })
    call.note({ token_id: id })
    return { accessToken, tokenId: id, expiresInSeconds: claims.exp - claims.iat, expireTime, maxExpireTime: lastExpireTime(token) }
  }
}
