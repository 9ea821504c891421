import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { displayName } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CreateProjectRequest, Project as ProjectMessage } from '#libs/wire/gen/countersign/registry/v1/project.js'
import { ADMIN, getBuiltInRole } from '../domain/role.js'
import type { Writing } from '../ports.js'
import { lockHolder } from '../store/anchors.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertBinding } from '../store/bindings.js'
import { insertProject } from '../store/projects.js'
import { toProjectMessage } from './project-message.js'

export function createProject({ authorization, feed, ids, clock }: Writing): Unary<CreateProjectRequest, ProjectMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const name = displayName(request.name, wrong.at('name'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'create', resource: 'project', attributes: { name } })
    const now = clock.now()
    const { organizationId, identityId } = caller
    const written = { createTime: now, updateTime: now, etag: ids.next() }
    const project = { organizationId, id: ids.next(), name, ...written }
    const binding = { organizationId, id: ids.next(), identityId, projectId: project.id, ...written }
    const admin = { roleId: getBuiltInRole('project', ADMIN).id, startTime: null, endTime: null }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await insertProject(tx, project)
      await lockHolder(tx, organizationId, identityId)
      await insertBinding(tx, binding, [admin])
      changed(organizationId, changedInRegistry.CreateProject(project.id, identityId))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'project', id: project.id, details: { name } }))
    })
    return { ...toProjectMessage(project), revision }
  }
}
