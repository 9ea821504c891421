import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag, optionalId } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { DeleteRoleRequest, DeleteRoleResponse } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { roleInUse } from '../domain/refusals.js'
import { assertCustom, assertInScope } from '../domain/role.js'
import type { Writing } from '../ports.js'
import { lockAnchors } from '../store/anchors.js'
import { insertAuditEvent } from '../store/audit.js'
import { deleteRole as removeRole, getRole, isRoleInUse, lockRole } from '../store/roles.js'

export function deleteRole({ authorization, feed, ids }: Writing): Unary<DeleteRoleRequest, DeleteRoleResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'delete', resource: 'role', projectId, attributes: { id } })
    assertCustom(id)
    const key = { organizationId: caller.organizationId, id }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      assertInScope(await getRole(tx, key), projectId)
      await lockAnchors(tx, caller.organizationId, { roles: new Map([[id, 'exclusive']]) })
      const stored = await lockRole(tx, key)
      assertInScope(stored, projectId)
      assertEtag(stored, etag)
      if (await isRoleInUse(tx, key)) throw roleInUse(stored.name)
      await removeRole(tx, key)
      changed(caller.organizationId, changedInRegistry.DeleteRole(id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'role', id, details: { name: stored.name } }))
    })
    return { revision }
  }
}
