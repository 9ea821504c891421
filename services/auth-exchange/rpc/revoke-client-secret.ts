import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ClientSecret as ClientSecretMessage, RevokeClientSecretRequest } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { lockClientSecret, revokeClientSecret as writeRevocation } from '../store/client-secrets.js'
import { toClientSecretMessage } from './client-secret-message.js'

export function revokeClientSecret({ authorization, feed, ids, clock }: Writing): Unary<RevokeClientSecretRequest, ClientSecretMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const id = idField(request.id, wrong.at('id'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'revoke', resource: 'client-secret', attributes: { 'identity.id': identityId, id } })
    const { result: secret, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockClientSecret(tx, { organizationId: caller.organizationId, identityId, id })
      if (stored.revokeTime) return stored
      const revoked = { ...stored, revokeTime: clock.now(), epoch: ids.next() }
      await writeRevocation(tx, revoked)
      changed(caller.organizationId, changedInExchange.RevokeClientSecret(id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'client-secret', id, details: { identityId } }))
      return revoked
    })
    return { ...toClientSecretMessage(secret), revision }
  }
}
