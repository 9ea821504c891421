import { auditEvent } from '#libs/audit-event.js'
import type { Caller } from '#libs/authorization.js'
import { Violations } from '#libs/domain-error.js'
import { credentialText, id as idField } from '#libs/fields.js'
import { inTransaction } from '#libs/postgres/transaction.js'
import type { Call, Unary } from '#libs/rpc/unary.js'
import type { RevokeAccessTokenRequest, RevokeAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { tokenNotFound } from '../domain/refusals.js'
import type { TokenSigner, Writing } from '../ports.js'
import { lockToken, revokeToken } from '../store/access-tokens.js'
import { insertAuditEvent } from '../store/audit.js'

type Outside = Writing & { readonly signer: TokenSigner }

export function revokeAccessToken({ db, authorization, signer, ids, clock }: Outside): Unary<RevokeAccessTokenRequest, RevokeAccessTokenResponse> {
  const byHolder = async (text: string): Promise<{ caller: Caller; id: string }> => {
    const { jti, sub, org } = await signer.verify(text)
    return { caller: { organizationId: org, identityId: sub, tokenId: jti }, id: jti }
  }
  const byId = async (id: string, call: Call): Promise<{ caller: Caller; id: string }> => {
    const caller = await authorization.require(call, { action: 'revoke', resource: 'access-token', attributes: { id } })
    return { caller, id }
  }
  return async ({ target }, call) => {
    const asked = targetOf(target)
    const { caller, id } = asked.accessToken === undefined ? await byId(asked.tokenId, call) : await byHolder(asked.accessToken)
    const key = { organizationId: caller.organizationId, id }
    await inTransaction(db, call.deadline, async (tx) => {
      const stored = await lockToken(tx, key)
      if (!stored) throw tokenNotFound(id)
      if (stored.revokeTime) return
      await revokeToken(tx, key, clock.now())
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'access-token', id, details: { identityId: stored.identityId } }))
    })
    return {}
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
