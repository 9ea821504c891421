import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { GetProjectRequest, Project as ProjectMessage } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Reading } from '../ports.js'
import { getProject as readProject } from '../store/projects.js'
import { toProjectMessage } from './project-message.js'

export function getProject({ db, authorization }: Reading): Unary<GetProjectRequest, ProjectMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'project', projectId: id, attributes: { id } })
    return toProjectMessage(await readProject(db, { organizationId, id }))
  }
}
