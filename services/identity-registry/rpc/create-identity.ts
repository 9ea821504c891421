import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { displayName, roleName } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CreateIdentityRequest, Identity as IdentityMessage } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Identity } from '../domain/identity.js'
import { NO_ACCESS } from '../domain/role.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertBinding } from '../store/bindings.js'
import { insertIdentity } from '../store/identities.js'
import { findRoleIds, lockRolesByName } from '../store/roles.js'
import { guarded } from './guarded.js'
import { toIdentityMessage } from './identity-message.js'

export function createIdentity({ authorization, feed, ids, clock }: Writing): Unary<CreateIdentityRequest, IdentityMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const name = displayName(request.name, wrong.at('name'))
    const role = roleName(request.role === '' ? NO_ACCESS : request.role, wrong.at('role'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'create', resource: 'identity', attributes: { name } })
    const now = clock.now()
    const { organizationId } = caller
    const written = { createTime: now, updateTime: now, etag: ids.next() }
    const identity: Identity = { organizationId, id: ids.next(), name, state: 'active', ...written }
    const binding = { organizationId, id: ids.next(), identityId: identity.id, projectId: null, ...written }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const guard = { caller, now, about: { resource: 'binding', attributes: { 'identity.id': identity.id } }, recipient: { identityId: identity.id, scopes: [null] } }
      return guarded(tx, { ...guard, roleIds: await findRoleIds(tx, binding, [role]) }, async () => {
        const roleIds = await lockRolesByName(tx, binding, [role])
        await insertIdentity(tx, identity)
        await insertBinding(tx, binding, roleIds.map((roleId) => ({ roleId, startTime: null, endTime: null })))
        changed(organizationId, changedInRegistry.CreateIdentity(identity.id))
        await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'identity', id: identity.id, details: { name, role } }))
      })
    })
    return { ...toIdentityMessage(identity), revision }
  }
}
