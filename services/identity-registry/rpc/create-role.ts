import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { optionalId, roleName, text } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import { rulesFrom } from '#libs/rpc/rule-message.js'
import type { Unary } from '#libs/rpc/unary.js'
import { checkRules } from '#libs/rules/rule.js'
import { warningsOf } from '#libs/rules/warnings.js'
import type { CreateRoleRequest, Role as RoleMessage } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { roleNameTaken } from '../domain/refusals.js'
import { builtInRoleByName, levelOf } from '../domain/role.js'
import type { Writing } from '../ports.js'
import { lockAnchors } from '../store/anchors.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertRole } from '../store/roles.js'
import { toRoleMessage } from './role-message.js'

export function createRole({ authorization, feed, ids, clock }: Writing): Unary<CreateRoleRequest, RoleMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const projectId = optionalId(request.projectId, wrong.at('project_id')) ?? null
    const name = roleName(request.name, wrong.at('name'))
    const description = text(request.description, 500, wrong.at('description'))
    const rules = rulesFrom(request.rules, (field) => wrong.at(field))
    checkRules(rules, (field) => wrong.at(field))
    wrong.refuse()
    const question = { action: 'create', resource: 'role', projectId: projectId ?? undefined, attributes: { name } }
    const caller = await authorization.require(call, question)
    if (builtInRoleByName(levelOf(projectId), name)) throw roleNameTaken(name)
    const now = clock.now()
    const { organizationId } = caller
    const role = { organizationId, id: ids.next(), projectId, name, description, rules, createTime: now, updateTime: now, etag: ids.next() }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      // So that whoever deletes the project waits for those that come before, and not for ever more.
      if (projectId !== null) await lockAnchors(tx, organizationId, { projects: new Map([[projectId, 'shared']]) })
      await insertRole(tx, role)
      changed(organizationId, changedInRegistry.CreateRole(role.id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'role', id: role.id, details: { name, projectId, rules } }))
    })
    return { ...toRoleMessage(role), revision, warnings: warningsOf(rules) }
  }
}
