import { DomainError } from '#libs/domain-error.js'

// Every way in which identity-registry says no, besides what libs say for all services. docs/errors.md has a row for each.

export const organizationNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'ORGANIZATION_NOT_FOUND', `There is no organization ${id}.`, { metadata: { id } })

export const projectNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'PROJECT_NOT_FOUND', `There is no project ${id}.`, { metadata: { id } })

export const projectNameTaken = (name: string): DomainError =>
  new DomainError('ALREADY_EXISTS', 'PROJECT_NAME_TAKEN', `There is a project named ${name} already.`, { metadata: { name } })

export const identityNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'IDENTITY_NOT_FOUND', `There is no identity ${id}.`, { metadata: { id } })

export const identityNameTaken = (name: string): DomainError =>
  new DomainError('ALREADY_EXISTS', 'IDENTITY_NAME_TAKEN', `There is an identity named ${name} already.`, { metadata: { name } })

export const roleNotFound = (role: string): DomainError =>
  new DomainError('NOT_FOUND', 'ROLE_NOT_FOUND', `There is no role ${role} here.`, { metadata: { role } })

export const roleNameTaken = (name: string): DomainError =>
  new DomainError('ALREADY_EXISTS', 'ROLE_NAME_TAKEN', `There is a role named ${name} here already.`, { metadata: { name } })

export const roleBuiltIn = (role: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'ROLE_BUILT_IN', `The role ${role} is built in and never changes.`, { metadata: { role } })

export const roleInUse = (role: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', 'ROLE_IN_USE', `Bindings still use the role ${role}: take it from them first.`, { metadata: { role } })

export const bindingNotFound = (id: string): DomainError =>
  new DomainError('NOT_FOUND', 'BINDING_NOT_FOUND', `There is no binding ${id}.`, { metadata: { id } })

export const bindingExists = (identityId: string, projectId: string | null): DomainError =>
  new DomainError('ALREADY_EXISTS', 'BINDING_EXISTS', `The identity ${identityId} is bound here already: update that binding.`, {
    metadata: { identityId, projectId: projectId ?? '' },
  })
