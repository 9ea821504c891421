import { Violations } from '#libs/domain-error.js'
import { optionalId } from '#libs/fields.js'
import { pageFrom, pageOf } from '#libs/rpc/page-token.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListRolesRequest, ListRolesResponse } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { BUILT_IN_ROLES, levelOf } from '../domain/role.js'
import type { Reading } from '../ports.js'
import { getProject } from '../store/projects.js'
import { listRoles as readRoles } from '../store/roles.js'
import { toBuiltInRoleMessage, toRoleMessage } from './role-message.js'

export function listRoles({ db, authorization }: Reading): Unary<ListRolesRequest, ListRolesResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    const page = pageOf(request, (field) => wrong.at(field))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'role', projectId })
    if (projectId !== undefined) await getProject(db, { organizationId, id: projectId })
    const scope = { organizationId, projectId: projectId ?? null }
    const { items, nextPageToken } = pageFrom(page, await readRoles(db, scope, page))
    const builtIn = page.after === undefined ? BUILT_IN_ROLES.filter(({ level }) => level === levelOf(scope.projectId)) : []
    return { roles: [...builtIn.map((role) => toBuiltInRoleMessage(role, organizationId, projectId)), ...items.map(toRoleMessage)], nextPageToken }
  }
}
