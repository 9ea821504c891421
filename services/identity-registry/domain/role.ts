import type { Rule } from '#libs/rules/rule.js'
import type { Written } from './identity.js'
import { roleBuiltIn, roleNotFound } from './refusals.js'

export type CustomRole = Written & {
  readonly organizationId: string
  readonly id: string
  /** Null: a role for the organization itself. */
  readonly projectId: string | null
  readonly name: string
  readonly description: string
  readonly rules: readonly Rule[]
}

/** A role that exists in every organization or in every project, with the same id everywhere. */
export type BuiltInRole = {
  readonly id: string
  readonly level: Level
  readonly name: string
  readonly description: string
  readonly rules: readonly Rule[]
}

export type Level = 'organization' | 'project'

export const levelOf = (projectId: string | null): Level => (projectId === null ? 'organization' : 'project')

export const NO_ACCESS = 'no-access'

export const ADMIN = 'admin'

const allow = (actions: string[], resources: string[]): Rule => ({ effect: 'allow', resources, actions, conditions: [] })

// A built-in role has the same id everywhere: its place in the list, in a UUIDv7 of the year 1970.
const idAt = (place: number): string => `00000000-0000-7000-8000-${String(place).padStart(12, '0')}`

// None of them uses the action of a change to identities, roles, bindings or credentials but admin: no role below admin
// can widen anybody's access, its own included.
export const BUILT_IN_ROLES: readonly BuiltInRole[] = [
  {
    id: idAt(1),
    level: 'organization',
    name: ADMIN,
    description: 'Everything in the organization, its projects included as far as management goes.',
    rules: [allow(['*'], ['*'])],
  },
  {
    id: idAt(2),
    level: 'organization',
    name: 'member',
    description: 'Reads the organization and makes projects.',
    rules: [allow(['read'], ['*']), allow(['create'], ['project'])],
  },
  { id: idAt(3), level: 'organization', name: 'viewer', description: 'Reads the organization.', rules: [allow(['read'], ['*'])] },
  { id: idAt(4), level: 'organization', name: NO_ACCESS, description: 'Nothing.', rules: [] },
  { id: idAt(5), level: 'project', name: ADMIN, description: 'Everything in the project.', rules: [allow(['*'], ['*'])] },
  {
    id: idAt(6),
    level: 'project',
    name: 'member',
    description: 'Reads, lists, writes and uses every resource of the project, but does not manage who may.',
    rules: [allow(['read', 'list', 'write', 'use'], ['*'])],
  },
  {
    id: idAt(7),
    level: 'project',
    name: 'viewer',
    description: 'Reads and lists every resource of the project.',
    rules: [allow(['read', 'list'], ['*'])],
  },
  { id: idAt(8), level: 'project', name: NO_ACCESS, description: 'Nothing.', rules: [] },
]

const byId = new Map(BUILT_IN_ROLES.map((role) => [role.id, role]))

export const builtInRoleById = (id: string): BuiltInRole | undefined => byId.get(id)

export const builtInRoleByName = (level: Level, name: string): BuiltInRole | undefined =>
  BUILT_IN_ROLES.find((role) => role.level === level && role.name === name)

/** The built-in role of this name and level, which is known to exist. */
export function getBuiltInRole(level: Level, name: typeof ADMIN | typeof NO_ACCESS): BuiltInRole {
  const role = builtInRoleByName(level, name)
  if (!role) throw new Error(`there is no built-in role ${name}`)
  return role
}

export function assertCustom(id: string): void {
  const builtInRole = builtInRoleById(id)
  if (builtInRole) throw roleBuiltIn(builtInRole.name)
}

/** Whoever may change the roles of one scope is not told of another's. */
export function assertInScope(role: CustomRole, projectId: string | undefined): void {
  if (role.projectId !== (projectId ?? null)) throw roleNotFound(role.id)
}
