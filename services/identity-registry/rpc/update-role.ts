import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag, optionalId, text } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import { rulesFrom } from '#libs/rpc/rule-message.js'
import type { Unary } from '#libs/rpc/unary.js'
import { checkRules } from '#libs/rules/rule.js'
import { warningsOf } from '#libs/rules/warnings.js'
import type { Role as RoleMessage, UpdateRoleRequest } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { assertCustom, assertInScope } from '../domain/role.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { getRole, lockRole, updateRole as writeRole } from '../store/roles.js'
import { guarded } from './guarded.js'
import { toRoleMessage } from './role-message.js'

export function updateRole({ authorization, feed, ids, clock }: Writing): Unary<UpdateRoleRequest, RoleMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    const description = text(request.description, 500, wrong.at('description'))
    const rules = rulesFrom(request.rules, (field) => wrong.at(field))
    checkRules(rules, (field) => wrong.at(field))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const about = { resource: 'role', projectId, attributes: { id } }
    const caller = await authorization.require(call, { action: 'update', ...about })
    assertCustom(id)
    const now = clock.now()
    const { result: role, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      // Before anything of it is locked: it may be of a scope in which the caller may do nothing.
      assertInScope(await getRole(tx, { organizationId: caller.organizationId, id }), projectId)
      return guarded(tx, { caller, about, now, recipient: { roleId: id } }, async () => {
        const stored = await lockRole(tx, { organizationId: caller.organizationId, id })
        assertInScope(stored, projectId)
        assertEtag(stored, etag)
        const updated = { ...stored, description, rules, updateTime: now, etag: ids.next() }
        await writeRole(tx, updated)
        changed(caller.organizationId, changedInRegistry.UpdateRole(id))
        await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'role', id, details: { before: stored.rules, after: rules } }))
        return updated
      })
    })
    return { ...toRoleMessage(role), revision, warnings: warningsOf(rules) }
  }
}
