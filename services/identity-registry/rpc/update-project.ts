import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { displayName, id as idField, optionalEtag } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { Project as ProjectMessage, UpdateProjectRequest } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { lockProject, updateProject as writeProject } from '../store/projects.js'
import { toProjectMessage } from './project-message.js'

export function updateProject({ authorization, feed, ids, clock }: Writing): Unary<UpdateProjectRequest, ProjectMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const name = displayName(request.name, wrong.at('name'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'update', resource: 'project', projectId: id, attributes: { id } })
    const { result: project, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockProject(tx, { organizationId: caller.organizationId, id })
      assertEtag(stored, etag)
      const updated = { ...stored, name, updateTime: clock.now(), etag: ids.next() }
      await writeProject(tx, updated)
      changed(caller.organizationId, changedInRegistry.UpdateProject(id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'project', id, details: { name } }))
      return updated
    })
    return { ...toProjectMessage(project), revision }
  }
}
