import { auditEvent } from '#libs/audit-event.js'
import type { Caller } from '#libs/authorization.js'
import { type DomainError, Violations } from '#libs/domain-error.js'
import { credentialText, id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Call, Unary } from '#libs/rpc/unary.js'
import type { RevokeAccessTokenRequest, RevokeAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { type AccessTokenRecord, standsBehind } from '../domain/access-token.js'
import { accessTokenRejected, tokenNotFound } from '../domain/refusals.js'
import type { TokenSigner, Writing } from '../ports.js'
import { lockToken, revokeToken } from '../store/access-tokens.js'
import { insertAuditEvent } from '../store/audit.js'
import type { Tx } from '../store/schema.js'
import { hasKey } from '../store/signing-keys.js'

type Outside = Writing & { readonly signer: TokenSigner }

/** Whose call it is, which token it means, and how it is refused where that is none of ours. */
type Target = { readonly caller: Caller; readonly id: string; readonly isMeant: (record: AccessTokenRecord, tx: Tx) => boolean | Promise<boolean>; readonly refusal: DomainError }

export function revokeAccessToken({ authorization, signer, feed, ids, clock }: Outside): Unary<RevokeAccessTokenRequest, RevokeAccessTokenResponse> {
  const byHolder = async (text: string): Promise<Target> => {
    const { claims, kid } = await signer.verifyExpiredToo(text)
    const { jti: id, sub: identityId, org: organizationId } = claims
    const isMeant = async (record: AccessTokenRecord, tx: Tx) => standsBehind(record, claims) && (await hasKey(tx, kid))
    return { caller: { organizationId, identityId, tokenId: id }, id, isMeant, refusal: accessTokenRejected() }
  }
  const byId = async (id: string, call: Call): Promise<Target> => {
    const caller = await authorization.require(call, { action: 'revoke', resource: 'access-token', attributes: { id } })
    return { caller, id, isMeant: () => true, refusal: tokenNotFound(id) }
  }
  return async ({ target }, call) => {
    const asked = targetOf(target)
    const { caller, id, isMeant, refusal } = asked.accessToken === undefined ? await byId(asked.tokenId, call) : await byHolder(asked.accessToken)
    const key = { organizationId: caller.organizationId, id }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockToken(tx, key)
      if (!stored || !(await isMeant(stored, tx))) throw refusal
      if (stored.revokeTime) return
      await revokeToken(tx, key, clock.now())
      changed(caller.organizationId, changedInExchange.RevokeAccessToken(id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'access-token', id, details: { identityId: stored.identityId } }))
    })
    return { revision }
  }
}

type Asked = { readonly accessToken: string; readonly tokenId?: undefined } | { readonly accessToken?: undefined; readonly tokenId: string }

function targetOf(target: RevokeAccessTokenRequest['target']): Asked {
  const wrong = new Violations()
  if (!target) wrong.at('target')('must be set: access_token or token_id')
  else if (target.$case === 'tokenId') idField(target.value, wrong.at('token_id'))
  else credentialText(target.value, wrong.at('access_token'))
  wrong.refuse()
  return target?.$case === 'accessToken' ? { accessToken: target.value } : { tokenId: target?.value ?? '' }
}
