import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { DeletePrincipalRequest, DeletePrincipalResponse } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { deletePrincipal as removePrincipal } from '../store/principals.js'

export function deletePrincipal({ authorization, feed, ids }: Writing): Unary<DeletePrincipalRequest, DeletePrincipalResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'delete', resource: 'principal', attributes: { id } })
    const { organizationId } = caller
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const { identityId, name } = await removePrincipal(tx, { organizationId, id })
      changed(organizationId, changedInExchange.DeletePrincipal(organizationId, name))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'principal', id, details: { identityId, name } }))
    })
    return { revision }
  }
}
