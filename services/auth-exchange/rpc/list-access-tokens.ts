import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { optionalId } from '#libs/fields.js'
import { pageFrom, pageOf } from '#libs/rpc/page-token.js'
import type { Unary } from '#libs/rpc/unary.js'
import { AccessToken as AccessTokenMessage, type ListAccessTokensRequest, type ListAccessTokensResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { type AccessTokenRecord, type Counted, lastExpireTime } from '../domain/access-token.js'
import type { Reading } from '../ports.js'
import { findScanEnd, listLiveTokens } from '../store/live-tokens.js'
import { usesMessage } from './uses-message.js'

type Outside = Reading & { readonly clock: Clock }

export function listAccessTokens({ db, authorization, clock }: Outside): Unary<ListAccessTokensRequest, ListAccessTokensResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = optionalId(request.identityId, wrong.at('identity_id'))
    const page = pageOf(request, (field) => wrong.at(field))
    wrong.refuse()
    const attributes: Record<string, string> = identityId === undefined ? {} : { 'identity.id': identityId }
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'access-token', attributes })
    const scan = { organizationId, identityId, before: page.after }
    const end = await findScanEnd(db, scan)
    const { items, nextPageToken } = pageFrom(page, await listLiveTokens(db, { ...scan, end, size: page.size, now: clock.now() }), end)
    return { accessTokens: items.map(toAccessTokenMessage), nextPageToken }
  }
}

function toAccessTokenMessage(token: AccessTokenRecord & Counted): AccessTokenMessage {
  const { id, identityId, method, credentialId, issueTime, expireTime, renewTime, lastUsedTime } = token
  const times = { createTime: issueTime, expireTime, ...(renewTime && { renewTime }), ...(lastUsedTime && { lastUsedTime }) }
  return AccessTokenMessage.fromPartial({ id, identityId, method, credentialId, ...times, maxExpireTime: lastExpireTime(token), ...usesMessage(token) })
}
