import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag, optionalId } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { Binding as BindingMessage, UpdateBindingRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { assertBoundIn } from '../domain/binding.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { getBinding, lockBinding, replaceBoundRoles } from '../store/bindings.js'
import { findRoleIds, lockRolesByName } from '../store/roles.js'
import { rolesToBind, toBindingMessage, withIds } from './binding-message.js'
import { guarded } from './guarded.js'

export function updateBinding({ authorization, feed, ids, clock }: Writing): Unary<UpdateBindingRequest, BindingMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    const toBind = rolesToBind(request.roles, wrong)
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const about = { resource: 'binding', projectId, attributes: { id } }
    const caller = await authorization.require(call, { action: 'update', ...about })
    const { organizationId } = caller
    const now = clock.now()
    const names = toBind.map(({ role }) => role)
    const scope = { organizationId, projectId: projectId ?? null }
    const { result: { binding, roles }, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const found = await getBinding(tx, { organizationId, id })
      assertBoundIn(found, projectId)
      const { identityId } = found
      const recipient = { identityId, scopes: [scope.projectId] }
      return guarded(tx, { caller, about, now, recipient, roleIds: await findRoleIds(tx, scope, names) }, async () => {
        const bound = withIds(toBind, await lockRolesByName(tx, scope, names))
        const stored = await lockBinding(tx, { organizationId, id })
        assertEtag(stored, etag)
        const updated = { ...stored, updateTime: now, etag: ids.next() }
        await replaceBoundRoles(tx, updated, bound)
        changed(organizationId, changedInRegistry.UpdateBinding(identityId))
        await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'binding', id, details: { roles: toBind } }))
        return { binding: updated, roles: bound }
      })
    })
    return { ...toBindingMessage(binding, roles), revision }
  }
}
