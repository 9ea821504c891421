import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { DeleteIdentityRequest, DeleteIdentityResponse } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Writing } from '../ports.js'
import { lockHolder } from '../store/anchors.js'
import { insertAuditEvent } from '../store/audit.js'
import { deleteIdentity as removeIdentity, lockIdentity } from '../store/identities.js'

export function deleteIdentity({ authorization, feed, ids }: Writing): Unary<DeleteIdentityRequest, DeleteIdentityResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'delete', resource: 'identity', attributes: { id } })
    const key = { organizationId: caller.organizationId, id }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await lockHolder(tx, caller.organizationId, id)
      const stored = await lockIdentity(tx, key)
      assertEtag(stored, etag)
      await removeIdentity(tx, key)
      changed(caller.organizationId, changedInRegistry.DeleteIdentity(id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'identity', id, details: { name: stored.name } }))
    })
    return { revision }
  }
}
