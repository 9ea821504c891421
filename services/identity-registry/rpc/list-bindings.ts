import { Violations } from '#libs/domain-error.js'
import { optionalId } from '#libs/fields.js'
import { pageFrom, pageOf } from '#libs/rpc/page-token.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListBindingsRequest, ListBindingsResponse } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import type { Reading } from '../ports.js'
import { listBindings as readBindings, listBoundRoles } from '../store/bindings.js'
import { getIdentity } from '../store/identities.js'
import { getProject } from '../store/projects.js'
import { toBindingMessage } from './binding-message.js'

export function listBindings({ db, authorization }: Reading): Unary<ListBindingsRequest, ListBindingsResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    const identityId = optionalId(request.identityId, wrong.at('identity_id'))
    const page = pageOf(request, (field) => wrong.at(field))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'binding', projectId })
    if (projectId !== undefined) await getProject(db, { organizationId, id: projectId })
    if (identityId !== undefined) await getIdentity(db, { organizationId, id: identityId })
    const { items, nextPageToken } = pageFrom(page, await readBindings(db, organizationId, { projectId, identityId, ...page }))
    const roles = await listBoundRoles(db, organizationId, items.map(({ id }) => id))
    return { bindings: items.map((binding) => toBindingMessage(binding, roles.get(binding.id) ?? [])), nextPageToken }
  }
}
