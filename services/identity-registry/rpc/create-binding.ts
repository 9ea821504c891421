import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField, optionalId } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { Binding as BindingMessage, CreateBindingRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertBinding } from '../store/bindings.js'
import { findRoleIds, lockRolesByName } from '../store/roles.js'
import { rolesToBind, toBindingMessage, withIds } from './binding-message.js'
import { guarded } from './guarded.js'

export function createBinding({ authorization, feed, ids, clock }: Writing): Unary<CreateBindingRequest, BindingMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    const toBind = rolesToBind(request.roles, wrong)
    wrong.refuse()
    const about = { resource: 'binding', projectId, attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'create', ...about })
    const now = clock.now()
    const { organizationId } = caller
    const written = { createTime: now, updateTime: now, etag: ids.next() }
    const binding = { organizationId, id: ids.next(), identityId, projectId: projectId ?? null, ...written }
    const names = toBind.map(({ role }) => role)
    const { result: roles, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const recipient = { identityId, scopes: [binding.projectId] }
      return guarded(tx, { caller, about, now, recipient, roleIds: await findRoleIds(tx, binding, names) }, async () => {
        const bound = withIds(toBind, await lockRolesByName(tx, binding, names))
        await insertBinding(tx, binding, bound)
        changed(organizationId, changedInRegistry.CreateBinding(identityId))
        const details = { identityId, projectId: binding.projectId, roles: toBind }
        await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'binding', id: binding.id, details }))
        return bound
      })
    })
    return { ...toBindingMessage(binding, roles), revision }
  }
}
