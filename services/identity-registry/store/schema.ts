import type { JSONColumnType, Kysely, Transaction } from 'kysely'
import type { Rule } from '#libs/rules/rule.js'
import type { Binding, BoundRole } from '../domain/binding.js'
import type { Identity, Organization, Project } from '../domain/identity.js'
import type { CustomRole } from '../domain/role.js'

// The tables of schema `registry`, as migrations/ makes them; kysely spells `boundRole` as `bound_role`. Every key begins
// with the organization.

export type AuditEventRow = {
  organizationId: string
  id: string
  /** The method, `CreateBinding`. */
  action: string
  /** Null for what the operator of the installation did. */
  actorIdentityId: string | null
  actorTokenId: string | null
  targetType: string
  targetId: string
  details: JSONColumnType<Record<string, unknown>, string, string>
  requestId: string
}

export type RegistrySchema = {
  organization: Organization
  project: Project
  identity: Identity
  role: Omit<CustomRole, 'rules'> & { readonly rules: JSONColumnType<readonly Rule[], string, string> }
  binding: Binding
  boundRole: Omit<BoundRole, 'role'> & { readonly organizationId: string; readonly bindingId: string }
  auditEvent: AuditEventRow
}

export type Db = Kysely<RegistrySchema>

export type Tx = Transaction<RegistrySchema>
