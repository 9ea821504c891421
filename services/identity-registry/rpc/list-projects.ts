import { Violations } from '#libs/domain-error.js'
import { optionalName } from '#libs/fields.js'
import { pageFrom, pageOf } from '#libs/rpc/page-token.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListProjectsRequest, ListProjectsResponse } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Reading } from '../ports.js'
import { listProjects as readProjects } from '../store/projects.js'
import { toProjectMessage } from './project-message.js'

export function listProjects({ db, authorization }: Reading): Unary<ListProjectsRequest, ListProjectsResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const page = pageOf(request, (field) => wrong.at(field))
    const name = optionalName(request.name, wrong.at('name'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'project' })
    const { items, nextPageToken } = pageFrom(page, await readProjects(db, organizationId, { ...page, name }))
    return { projects: items.map(toProjectMessage), nextPageToken }
  }
}
