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

const builtIn = (place: number, level: Level, name: string, description: string, rules: Rule[]): BuiltInRole => ({
  id: `00000000-0000-7000-8000-${String(place).padStart(12, '0')}`,
  level,
  name,
  description,
  rules,
})

// None of them uses the action of a change to identities, roles, bindings or credentials but admin: no role below admin
// can widen anybody's access, its own included.
export const BUILT_IN_ROLES: readonly BuiltInRole[] = [
  builtIn(1, 'organization', ADMIN, 'Everything in the organization, its projects included as far as management goes.', [allow(['*'], ['*'])]),
  builtIn(2, 'organization', 'member', 'Reads the organization and makes projects.', [allow(['read'], ['*']), allow(['create'], ['project'])]),
  builtIn(3, 'organization', 'viewer', 'Reads the organization.', [allow(['read'], ['*'])]),
  builtIn(4, 'organization', NO_ACCESS, 'Nothing.', []),
  builtIn(5, 'project', ADMIN, 'Everything in the project.', [allow(['*'], ['*'])]),
  builtIn(6, 'project', 'member', 'Reads, lists, writes and uses every resource of the project, but does not manage who may.', [
    allow(['read', 'list', 'write', 'use'], ['*']),
  ]),
  builtIn(7, 'project', 'viewer', 'Reads and lists every resource of the project.', [allow(['read', 'list'], ['*'])]),
  builtIn(8, 'project', NO_ACCESS, 'Nothing.', []),
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
