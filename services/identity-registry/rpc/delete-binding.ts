import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag, optionalId } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { DeleteBindingRequest, DeleteBindingResponse } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { assertBoundIn } from '../domain/binding.js'
import type { Writing } from '../ports.js'
import { lockHolder } from '../store/anchors.js'
import { insertAuditEvent } from '../store/audit.js'
import { deleteBinding as removeBinding, getBinding, lockBinding } from '../store/bindings.js'

export function deleteBinding({ authorization, feed, ids }: Writing): Unary<DeleteBindingRequest, DeleteBindingResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'delete', resource: 'binding', projectId, attributes: { id } })
    const key = { organizationId: caller.organizationId, id }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const found = await getBinding(tx, key)
      assertBoundIn(found, projectId)
      await lockHolder(tx, caller.organizationId, found.identityId)
      const stored = await lockBinding(tx, key)
      assertEtag(stored, etag)
      await removeBinding(tx, key)
      changed(caller.organizationId, changedInRegistry.DeleteBinding(stored.identityId))
      const details = { identityId: stored.identityId, projectId: stored.projectId }
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'binding', id, details }))
    })
    return { revision }
  }
}
