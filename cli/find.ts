import { isId } from '#libs/ids.js'
import { GetIdentityRequest, type Identity, ListIdentitiesRequest } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { ListProjectsRequest, type Project } from '#libs/wire/gen/countersign/registry/v1/project.js'
import { GetRoleRequest, ListRolesRequest, type Role } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { notFound } from './failure.js'
import { allPages } from './pages.js'
import type { Session } from './session.js'

// Identities, projects and roles are named on the command line by name or by id.

export async function findIdentity(session: Session, nameOrId: string): Promise<Identity> {
  if (isId(nameOrId)) return session.call('registry', registry.getIdentity, GetIdentityRequest.fromPartial({ id: nameOrId }))
  const { identities } = await session.call('registry', registry.listIdentities, ListIdentitiesRequest.fromPartial({ name: nameOrId }))
  const found = identities.find(({ name }) => name === nameOrId)
  if (!found) throw notFound('identity', nameOrId)
  return found
}

export const identityIdOf = async (session: Session, nameOrId: string): Promise<string> =>
  isId(nameOrId) ? nameOrId : (await findIdentity(session, nameOrId)).id

/** Empty, as the requests want it, where no project is meant. */
export async function projectIdOf(session: Session, nameOrId: string | undefined): Promise<string> {
  if (nameOrId === undefined) return ''
  return isId(nameOrId) ? nameOrId : (await findProject(session, nameOrId)).id
}

async function findProject(session: Session, name: string): Promise<Project> {
  const { projects } = await session.call('registry', registry.listProjects, ListProjectsRequest.fromPartial({ name }))
  const found = projects.find((project) => project.name === name)
  if (!found) throw notFound('project', name)
  return found
}

export async function findRole(session: Session, nameOrId: string, projectId: string): Promise<Role> {
  if (isId(nameOrId)) return session.call('registry', registry.getRole, GetRoleRequest.fromPartial({ id: nameOrId, projectId }))
  const found = (await allRoles(session, projectId)).find(({ name }) => name === nameOrId)
  if (!found) throw notFound('role', nameOrId)
  return found
}

/** Requests name roles by name. */
export const roleNameOf = async (session: Session, nameOrId: string, projectId: string): Promise<string> =>
  isId(nameOrId) ? (await findRole(session, nameOrId, projectId)).name : nameOrId

export const allRoles = (session: Session, projectId: string, limit?: number): Promise<Role[]> =>
  allPages(limit, async (page) => {
    const { roles, nextPageToken } = await session.call('registry', registry.listRoles, ListRolesRequest.fromPartial({ ...page, projectId }))
    return { items: roles, nextPageToken }
  })
