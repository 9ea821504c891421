import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { DeleteProjectRequest, DeleteProjectResponse } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Writing } from '../ports.js'
import { lockAnchors } from '../store/anchors.js'
import { insertAuditEvent } from '../store/audit.js'
import { deleteProject as removeProject, lockProject } from '../store/projects.js'

export function deleteProject({ authorization, feed, ids }: Writing): Unary<DeleteProjectRequest, DeleteProjectResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'delete', resource: 'project', projectId: id, attributes: { id } })
    const key = { organizationId: caller.organizationId, id }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await lockAnchors(tx, caller.organizationId, { projects: new Map([[id, 'exclusive']]) })
      const stored = await lockProject(tx, key)
      assertEtag(stored, etag)
      await removeProject(tx, key)
      changed(caller.organizationId, changedInRegistry.DeleteProject(id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'project', id, details: { name: stored.name } }))
    })
    return { revision }
  }
}
