import type { JSONColumnType, Kysely, Transaction } from 'kysely'
import type { Rule } from '#libs/rules/rule.js'
import type { Binding, BoundRole } from '../domain/binding.js'
import type { Identity, Organization, Project } from '../domain/identity.js'
import type { CustomRole } from '../domain/role.js'

// The tables of schema `registry`, as migrations/ makes them; kysely spells `boundRole` as `bound_role`. Every key begins
// with the organization.

export type RegistrySchema = {
  organization: Organization
  project: Project
  identity: Identity
  role: Omit<CustomRole, 'rules'> & { readonly rules: JSONColumnType<readonly Rule[], string, string> }
  binding: Binding
  boundRole: Omit<BoundRole, 'role'> & { readonly organizationId: string; readonly bindingId: string }
}

export type Db = Kysely<RegistrySchema>

export type Tx = Transaction<RegistrySchema>
