import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { credentialText } from '#libs/fields.js'
import type { Ids } from '#libs/ids.js'
import { repeating } from '#libs/postgres/transaction.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { RenewAccessTokenRequest, RenewAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { lastExpireTime, renewedLife } from '../domain/access-token.js'
import { accessTokenRejected, tokenNotRenewable } from '../domain/refusals.js'
import type { ActiveTokens, IdentityReader, TokenSigner } from '../ports.js'
import { getStanding } from '../store/access-tokens.js'
import { recordRenewal } from '../store/renewals.js'
import type { Db } from '../store/schema.js'

type Outside = {
  readonly db: Db
  readonly identities: IdentityReader
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
  readonly ids: Ids
  readonly clock: Clock
}

export function renewAccessToken({ db, identities, signer, activeTokens, ids, clock }: Outside): Unary<RenewAccessTokenRequest, RenewAccessTokenResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const text = credentialText(request.accessToken, wrong.at('access_token'))
    wrong.refuse()
    const claims = await signer.verify(text)
    const { record, revoked, stamp } = await getStanding(db, claims)
    const { id: tokenId, organizationId, identityId } = record
    call.note({ organization_id: organizationId, identity_id: identityId, token_id: tokenId })
    if (revoked || (await identities.stateOf(record, call)) !== 'active') throw accessTokenRejected()
    const now = clock.now()
    const heldUntil = claims.exp * 1000
    const maxExpireTime = lastExpireTime(record)
    if (heldUntil <= now.getTime()) throw accessTokenRejected()
    if (heldUntil >= maxExpireTime.getTime()) throw tokenNotRenewable(maxExpireTime)
    const token = renewedLife(record, now)
    const { expireTime } = token
    const [iat, exp] = [Math.floor(now.getTime() / 1000), expireTime.getTime() / 1000]
    const accessToken = await signer.sign({ ...claims, iat, exp })
    const renewal = { token, auditEventId: ids.next(), requestId: call.trace.requestId, now }
    if (!(await repeating(call.deadline, () => recordRenewal(db, renewal)))) throw accessTokenRejected()
    activeTokens.keep({ text: accessToken, record: token, stamp })
    return { accessToken, tokenId, expiresInSeconds: exp - iat, expireTime, maxExpireTime }
  }
}
