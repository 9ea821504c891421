import { DomainError } from '#libs/domain-error.js'
import {
  Binding,
  type CreateBindingRequest,
  type DeleteBindingRequest,
  DeleteBindingResponse,
  type ListBindingsRequest,
  ListBindingsResponse,
} from '#libs/wire/gen/countersign/registry/v1/binding.js'
import {
  type CreateIdentityRequest,
  type DeleteIdentityRequest,
  DeleteIdentityResponse,
  type GetIdentityRequest,
  Identity,
  IdentityState,
  type ListIdentitiesRequest,
  ListIdentitiesResponse,
} from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { type GetOrganizationRequest, Organization } from '#libs/wire/gen/countersign/registry/v1/organization.js'
import {
  type CreateProjectRequest,
  type GetProjectRequest,
  type ListProjectsRequest,
  ListProjectsResponse,
  Project,
} from '#libs/wire/gen/countersign/registry/v1/project.js'
import {
  type CreateRoleRequest,
  type GetRoleRequest,
  type ListRolesRequest,
  ListRolesResponse,
  Role,
} from '#libs/wire/gen/countersign/registry/v1/role.js'
import { type Answering, auditAnswers, NOW, one, page, requirePower, tokenOf, type World } from './fake-world.js'

export function registryAnswers(world: World, answering: Answering) {
  const [scopes, identities] = [scopeAnswers(world, answering), identityAnswers(world, answering)]
  return { ...scopes, ...identities, ...roleAnswers(world, answering), ...bindingAnswers(world, answering), ...auditAnswers(world, 'registry', answering) }
}

const named = <Item extends { readonly name: string }>(items: readonly Item[], name: string): readonly Item[] =>
  name === '' ? items : items.filter((item) => item.name === name)

const scopeAnswers = (world: World, answering: Answering) => ({
  getOrganization: answering('getOrganization', (_: GetOrganizationRequest, token) => {
    requirePower(world, token)
    return Organization.fromPartial({ id: world.organizationId, name: 'acme' })
  }),
  createProject: answering('createProject', ({ name }: CreateProjectRequest, token) => {
    requirePower(world, token)
    const project = Project.fromPartial({ id: world.ids.next(), organizationId: world.organizationId, name, createTime: NOW })
    world.projects.push(project)
    return project
  }),
  getProject: answering('getProject', ({ id }: GetProjectRequest, token) => {
    requirePower(world, token)
    return one(world.projects, id, 'PROJECT_NOT_FOUND')
  }),
  listProjects: answering('listProjects', (request: ListProjectsRequest, token) => {
    requirePower(world, token)
    const { items, nextPageToken } = page(named(world.projects, request.name), request)
    return ListProjectsResponse.fromPartial({ projects: items, nextPageToken })
  }),
})

const identityAnswers = (world: World, answering: Answering) => ({
  createIdentity: answering('createIdentity', ({ name, role }: CreateIdentityRequest, token) => {
    requirePower(world, token)
    if (named(world.identities, name).length > 0) {
      throw new DomainError('ALREADY_EXISTS', 'IDENTITY_NAME_TAKEN', `There is an identity named ${name} already.`)
    }
    const identity = { id: world.ids.next(), organizationId: world.organizationId, name, state: IdentityState.ACTIVE, createTime: NOW, etag: role }
    world.identities.push(Identity.fromPartial(identity))
    return Identity.fromPartial(identity)
  }),
  getIdentity: answering('getIdentity', ({ id }: GetIdentityRequest, token) => {
    if (tokenOf(world, token).identityId !== id) requirePower(world, token)
    return one(world.identities, id, 'IDENTITY_NOT_FOUND')
  }),
  listIdentities: answering('listIdentities', (request: ListIdentitiesRequest, token) => {
    requirePower(world, token)
    const { items, nextPageToken } = page(named(world.identities, request.name), request)
    return ListIdentitiesResponse.fromPartial({ identities: items, nextPageToken })
  }),
  deleteIdentity: answering('deleteIdentity', ({ id }: DeleteIdentityRequest, token) => {
    requirePower(world, token)
    world.identities.splice(world.identities.indexOf(one(world.identities, id, 'IDENTITY_NOT_FOUND')), 1)
    return DeleteIdentityResponse.fromPartial({})
  }),
})

const roleAnswers = (world: World, answering: Answering) => ({
  createRole: answering('createRole', (request: CreateRoleRequest, token) => {
    requirePower(world, token)
    const role = Role.fromPartial({ ...request, id: world.ids.next(), organizationId: world.organizationId, createTime: NOW })
    world.roles.push(role)
    return role
  }),
  getRole: answering('getRole', ({ id }: GetRoleRequest, token) => {
    requirePower(world, token)
    return one(world.roles, id, 'ROLE_NOT_FOUND')
  }),
  listRoles: answering('listRoles', (request: ListRolesRequest, token) => {
    requirePower(world, token)
    const { items, nextPageToken } = page(world.roles.filter(({ projectId }) => projectId === request.projectId), request)
    return ListRolesResponse.fromPartial({ roles: items, nextPageToken })
  }),
})

const bindingAnswers = (world: World, answering: Answering) => ({
  createBinding: answering('createBinding', (request: CreateBindingRequest, token) => {
    requirePower(world, token)
    const binding = Binding.fromPartial({ ...request, id: world.ids.next(), organizationId: world.organizationId, createTime: NOW })
    world.bindings.push(binding)
    return binding
  }),
  listBindings: answering('listBindings', (request: ListBindingsRequest, token) => {
    requirePower(world, token)
    const ofIdentity = world.bindings.filter(({ identityId }) => request.identityId === '' || identityId === request.identityId)
    const everywhere = request.projectId === '' && request.identityId !== ''
    const { items, nextPageToken } = page(ofIdentity.filter(({ projectId }) => everywhere || projectId === request.projectId), request)
    return ListBindingsResponse.fromPartial({ bindings: items, nextPageToken })
  }),
  deleteBinding: answering('deleteBinding', ({ id }: DeleteBindingRequest, token) => {
    requirePower(world, token)
    world.bindings.splice(world.bindings.indexOf(one(world.bindings, id, 'BINDING_NOT_FOUND')), 1)
    return DeleteBindingResponse.fromPartial({})
  }),
})
