import { Violations } from '#libs/domain-error.js'
import { id as idField, optionalId } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { GetRoleRequest, Role as RoleMessage } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { roleNotFound } from '../domain/refusals.js'
import { builtInRoleById, levelOf } from '../domain/role.js'
import type { Reading } from '../ports.js'
import { getProject } from '../store/projects.js'
import { findRole } from '../store/roles.js'
import { toBuiltInRoleMessage, toRoleMessage } from './role-message.js'

export function getRole({ db, authorization }: Reading): Unary<GetRoleRequest, RoleMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'role', projectId, attributes: { id } })
    if (projectId !== undefined) await getProject(db, { organizationId, id: projectId })
    const builtIn = builtInRoleById(id)
    if (builtIn?.level === levelOf(projectId ?? null)) return toBuiltInRoleMessage(builtIn, organizationId, projectId)
    const role = await findRole(db, { organizationId, id })
    // Whoever may read the roles of one project is not told of another's.
    if (!role || role.projectId !== (projectId ?? null)) throw roleNotFound(id)
    return toRoleMessage(role)
  }
}
