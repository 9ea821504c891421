import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { credentialText } from '#libs/fields.js'
import type { Ids } from '#libs/ids.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { RenewAccessTokenRequest, RenewAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { lastExpireTime, renewedLife } from '../domain/access-token.js'
import { accessTokenRejected, tokenNotRenewable } from '../domain/refusals.js'
import type { ActiveTokens } from '../ports.js'
import { renewalLedger } from '../store/renewals.js'
import type { Db } from '../store/schema.js'
import { goodToken, type GoodTokenOutside } from './good-token.js'

type Outside = GoodTokenOutside & { readonly db: Db; readonly activeTokens: ActiveTokens; readonly ids: Ids; readonly clock: Clock }

export function renewAccessToken({ db, activeTokens, ids, clock, ...outside }: Outside): Unary<RenewAccessTokenRequest, RenewAccessTokenResponse> {
  const ledger = renewalLedger(db)
  return async (request, call) => {
    const wrong = new Violations()
    const text = credentialText(request.accessToken, wrong.at('access_token'))
    wrong.refuse()
    const { claims, record, signingKid, trustedIps, stamp } = await goodToken(text, outside, call)
    const { id: tokenId, organizationId, identityId } = record
    call.note({ organization_id: organizationId, identity_id: identityId, token_id: tokenId })
    const now = clock.now()
    const heldUntil = claims.exp * 1000
    const maxExpireTime = lastExpireTime(record)
    // Asking others took time.
    if (heldUntil <= now.getTime()) throw accessTokenRejected()
    if (maxExpireTime && heldUntil >= maxExpireTime.getTime()) throw tokenNotRenewable(maxExpireTime)
    const token = renewedLife(record, now)
    const { expireTime } = token
    const [iat, exp] = [Math.floor(now.getTime() / 1000), expireTime.getTime() / 1000]
    const { text: accessToken, digest } = await outside.signer.sign({ ...claims, iat, exp }, signingKid)
    const renewal = { token, auditEventId: ids.next(), requestId: call.trace.requestId, now }
    if (!(await ledger.record(renewal, call.deadline))) throw accessTokenRejected()
    activeTokens.keep({ digest, record: token, trustedIps, stamp })
    return { accessToken, tokenId, expiresInSeconds: exp - iat, expireTime, maxExpireTime }
  }
}
