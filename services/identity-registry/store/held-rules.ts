import { type ExpressionBuilder, sql } from 'kysely'
import type { Rule } from '#libs/rules/rule.js'
import type { HeldRule } from '../domain/escalation.js'
import { builtInRoleById } from '../domain/role.js'
import type { Db, RegistrySchema } from './schema.js'

// What the escalation guard reads: who holds which rules, where and when. What is over is left out.

/** A role that is held in one scope, with its rules. */
export type HeldRole = {
  readonly projectId: string | null
  readonly roleId: string
  readonly role: string
  readonly rules: readonly Rule[]
  readonly startTime: Date | null
  readonly endTime: Date | null
}

/** The scopes that matter: some projects, the organization (null), or wherever there is something. */
export type Scopes = readonly (string | null)[] | 'everywhere'

type Of = { readonly organizationId: string; readonly identityId: string; readonly scopes: Scopes; readonly now: Date }

/** All that an identity is bound to in these scopes, whatever its state. */
export async function listHeldRoles(db: Db, { organizationId, identityId, scopes, now }: Of): Promise<HeldRole[]> {
  let query = db
    .selectFrom('binding')
    .innerJoin('boundRole', (on) => on.onRef('boundRole.organizationId', '=', 'binding.organizationId').onRef('boundRole.bindingId', '=', 'binding.id'))
    .leftJoin('role', (on) => on.onRef('role.organizationId', '=', 'boundRole.organizationId').onRef('role.id', '=', 'boundRole.roleId'))
    .select(['binding.projectId', 'boundRole.roleId', 'boundRole.startTime', 'boundRole.endTime', 'role.name', 'role.rules'])
    .where('binding.organizationId', '=', organizationId).where('binding.identityId', '=', identityId)
    .where(isNotOver(now))
  if (scopes !== 'everywhere') {
    const projectIds = scopes.filter((scope) => scope !== null)
    query = query.where((eb) =>
      eb.or([
        ...(scopes.includes(null) ? [eb('binding.projectId', 'is', null)] : []),
        ...(projectIds.length > 0 ? [eb('binding.projectId', 'in', projectIds)] : []),
      ]))
  }
  const rows = await query.orderBy('binding.projectId').orderBy('boundRole.roleId').execute()
  return rows.map(heldRole)
}

/**
 * The role, and those that are bound together with it, each with the time between the first start and the last end of all
 * such bindings. So it stands for all who hold the role, whoever they are.
 */
export async function listRolesHeldWith(db: Db, { organizationId, roleId, now }: { organizationId: string; roleId: string; now: Date }): Promise<HeldRole[]> {
  const start = sql<Date | null>`case when bool_or(bound_role.start_time is null) then null else min(bound_role.start_time) end`
  const end = sql<Date | null>`case when bool_or(bound_role.end_time is null) then null else max(bound_role.end_time) end`
  const holding = db.selectFrom('boundRole').select('bindingId').where('organizationId', '=', organizationId).where('roleId', '=', roleId).where(isNotOver(now))
  // Counted first, so that the rules of a role are read once and not for each binding.
  const windows = db
    .selectFrom('boundRole')
    .innerJoin('binding', (on) => on.onRef('binding.organizationId', '=', 'boundRole.organizationId').onRef('binding.id', '=', 'boundRole.bindingId'))
    .select(['binding.projectId', 'boundRole.roleId', start.as('startTime'), end.as('endTime')])
    .where('boundRole.organizationId', '=', organizationId).where('boundRole.bindingId', 'in', holding)
    .where(isNotOver(now))
    .groupBy(['binding.projectId', 'boundRole.roleId'])
  const rows = await db
    .selectFrom(windows.as('held'))
    .leftJoin('role', (on) => on.on('role.organizationId', '=', organizationId).onRef('role.id', '=', 'held.roleId'))
    .select(['held.projectId', 'held.roleId', 'held.startTime', 'held.endTime', 'role.name', 'role.rules'])
    .orderBy('held.roleId').execute()
  return rows.map(heldRole)
}

const isNotOver = (now: Date) => (eb: ExpressionBuilder<RegistrySchema, 'boundRole'>) => eb.or([eb('boundRole.endTime', 'is', null), eb('boundRole.endTime', '>', now)])

type Row = Omit<HeldRole, 'role' | 'rules'> & { readonly name: string | null; readonly rules: readonly Rule[] | null }

function heldRole({ projectId, roleId, startTime, endTime, name, rules }: Row): HeldRole {
  const builtIn = builtInRoleById(roleId)
  return { projectId, roleId, startTime, endTime, role: builtIn?.name ?? name ?? '', rules: builtIn?.rules ?? rules ?? [] }
}

export const rulesIn = (held: readonly HeldRole[], projectId: string | null): HeldRule[] =>
  held.filter((role) => role.projectId === projectId).flatMap(({ role, rules, startTime, endTime }) => rules.map((rule) => ({ role, rule, startTime, endTime })))
