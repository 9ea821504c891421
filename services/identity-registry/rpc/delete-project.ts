import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag } from '#libs/fields.js'
import { inTransaction } from '#libs/postgres/transaction.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { DeleteProjectRequest, DeleteProjectResponse } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { deleteProject as removeProject, lockProject } from '../store/projects.js'

export function deleteProject({ db, authorization, ids }: Writing): Unary<DeleteProjectRequest, DeleteProjectResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'delete', resource: 'project', projectId: id, attributes: { id } })
    const key = { organizationId: caller.organizationId, id }
    await inTransaction(db, call.deadline, async (tx) => {
      const stored = await lockProject(tx, key)
      assertEtag(stored, etag)
      await removeProject(tx, key)
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'project', id, details: { name: stored.name } }))
    })
    return {}
  }
}
