import type { UnaryAdapter } from '#libs/rpc/unary.js'
import type { IdentityRegistryServiceServer } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Writing } from '../ports.js'
import { createBinding } from './create-binding.js'
import { createIdentity } from './create-identity.js'
import { createProject } from './create-project.js'
import { createRole } from './create-role.js'
import { deleteBinding } from './delete-binding.js'
import { deleteIdentity } from './delete-identity.js'
import { deleteProject } from './delete-project.js'
import { deleteRole } from './delete-role.js'
import { disableIdentity } from './disable-identity.js'
import { enableIdentity } from './enable-identity.js'
import { getBinding } from './get-binding.js'
import { getIdentity } from './get-identity.js'
import { getOrganization } from './get-organization.js'
import { getProject } from './get-project.js'
import { getRole } from './get-role.js'
import { listAuditEvents } from './list-audit-events.js'
import { listBindings } from './list-bindings.js'
import { listIdentities } from './list-identities.js'
import { listProjects } from './list-projects.js'
import { listRoles } from './list-roles.js'
import { updateBinding } from './update-binding.js'
import { updateIdentity } from './update-identity.js'
import { updateOrganization } from './update-organization.js'
import { updateProject } from './update-project.js'
import { updateRole } from './update-role.js'

/** What identity-registry answers on its public port: one file per method. */
export const registryService = (unary: UnaryAdapter, outside: Writing): IdentityRegistryServiceServer => ({
  getOrganization: unary(getOrganization(outside)),
  updateOrganization: unary(updateOrganization(outside)),

  createProject: unary(createProject(outside)),
  getProject: unary(getProject(outside)),
  listProjects: unary(listProjects(outside)),
  updateProject: unary(updateProject(outside)),
  deleteProject: unary(deleteProject(outside)),

  createIdentity: unary(createIdentity(outside)),
  getIdentity: unary(getIdentity(outside)),
  listIdentities: unary(listIdentities(outside)),
  updateIdentity: unary(updateIdentity(outside)),
  enableIdentity: unary(enableIdentity(outside)),
  disableIdentity: unary(disableIdentity(outside)),
  deleteIdentity: unary(deleteIdentity(outside)),

  createRole: unary(createRole(outside)),
  getRole: unary(getRole(outside)),
  listRoles: unary(listRoles(outside)),
  updateRole: unary(updateRole(outside)),
  deleteRole: unary(deleteRole(outside)),

  createBinding: unary(createBinding(outside)),
  getBinding: unary(getBinding(outside)),
  listBindings: unary(listBindings(outside)),
  updateBinding: unary(updateBinding(outside)),
  deleteBinding: unary(deleteBinding(outside)),

  listAuditEvents: unary(listAuditEvents(outside)),
})
