import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { displayName, id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { AccessToken as AccessTokenMessage, UpdateAccessTokenRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { TOKEN_AUTH } from '../domain/auth-method.js'
import { tokenNotFound, tokenNotNamed } from '../domain/refusals.js'
import type { Writing } from '../ports.js'
import { lockToken, renameToken } from '../store/access-tokens.js'
import { insertAuditEvent } from '../store/audit.js'
import { toAccessTokenMessage } from './access-token-message.js'

export function updateAccessToken({ authorization, feed, ids }: Writing): Unary<UpdateAccessTokenRequest, AccessTokenMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.tokenId, wrong.at('token_id'))
    const name = displayName(request.name, wrong.at('name'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'update', resource: 'access-token', attributes: { id } })
    const key = { organizationId: caller.organizationId, id }
    const { result: token, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockToken(tx, key)
      if (!stored) throw tokenNotFound(id)
      if (stored.method !== TOKEN_AUTH) throw tokenNotNamed(id)
      await renameToken(tx, key, name)
      changed(caller.organizationId, changedInExchange.UpdateAccessToken(id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'access-token', id, details: { identityId: stored.identityId, name } }))
      return { ...stored, name }
    })
    return { ...toAccessTokenMessage(token), revision }
  }
}
