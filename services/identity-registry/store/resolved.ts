import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import type { Rule } from '#libs/rules/rule.js'
import type { Grants, Holder } from '../domain/grants.js'
import type { Identity, IdentityState } from '../domain/identity.js'
import { builtInRoleById } from '../domain/role.js'
import type { Db } from './schema.js'

// What other services keep copies of. Each comes with the position of the change feed, read by the same statement and so in
// the same snapshot: never before it, and never after.

type Stamped<Value> = Value & { readonly stamp: Stamp }

const position = sql`${feedEpoch('registry')} as epoch, ${feedSeq('registry')} as seq`

type PositionRow = { epoch: string; seq: string }

const stampOf = ({ epoch, seq }: PositionRow): Stamp => ({ epoch, seq: Number(seq) })

type BoundRoleJson = { roleId: string; startTime: string | null; endTime: string | null }
type GrantsRow = PositionRow & { name: string | null; state: IdentityState | null; bound: BoundRoleJson[] | null }

/** What an identity holds in a scope. Windows that are over too: whoever decides knows the time, and the one here may be ahead. */
export async function findGrants(db: Db, { organizationId, identityId, projectId }: Holder): Promise<Stamped<Grants>> {
  const project = projectId ?? null
  const { rows } = await sql<GrantsRow>`
    select ${position}, i.name, i.state, (
      select json_agg(json_build_object('roleId', br.role_id, 'startTime', br.start_time, 'endTime', br.end_time) order by br.role_id)
      from registry.binding b
      join registry.bound_role br on br.organization_id = b.organization_id and br.binding_id = b.id
      where b.organization_id = i.organization_id and b.identity_id = i.id
        and (b.project_id = ${project}::uuid or (${project}::uuid is null and b.project_id is null))
    ) as bound
    from (values (1)) as always left join registry.identity i on i.organization_id = ${organizationId} and i.id = ${identityId}
  `.execute(db)
  const [row] = rows
  if (!row) throw new Error('a statement that always has a row had none')
  const grants = (row.bound ?? []).map(({ roleId, startTime, endTime }) => ({ roleId, startTime: dateOf(startTime), endTime: dateOf(endTime) }))
  return { name: row.name ?? '', state: row.state ?? undefined, grants, stamp: stampOf(row) }
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text))

type RuleSet = { readonly projectId: string | undefined; readonly name: string; readonly rules: readonly Rule[] }

/** The name and rules of a role, built in or custom, and the project that it is of; an empty name where there is none. */
export async function findRuleSet(db: Db, { organizationId, roleId }: { organizationId: string; roleId: string }): Promise<Stamped<RuleSet>> {
  const { rows } = await sql<PositionRow & { projectId: string | null; name: string | null; rules: Rule[] | null }>`
    select ${position}, r.project_id, r.name, r.rules
    from (values (1)) as always left join registry.role r on r.organization_id = ${organizationId} and r.id = ${roleId}
  `.execute(db)
  const [row] = rows
  if (!row) throw new Error('a statement that always has a row had none')
  const { name, rules } = builtInRoleById(roleId) ?? { name: row.name ?? '', rules: row.rules ?? [] }
  return { projectId: row.projectId ?? undefined, name, rules, stamp: stampOf(row) }
}

type KnownState = Pick<Grants, 'name' | 'state'>

/** Whether an identity may log in; without a state where there is none. */
export async function findIdentityState(db: Db, { organizationId, id }: Pick<Identity, 'organizationId' | 'id'>): Promise<Stamped<KnownState>> {
  const { rows } = await sql<PositionRow & { name: string | null; state: IdentityState | null }>`
    select ${position}, i.name, i.state
    from (values (1)) as always left join registry.identity i on i.organization_id = ${organizationId} and i.id = ${id}
  `.execute(db)
  const [row] = rows
  if (!row) throw new Error('a statement that always has a row had none')
  return { name: row.name ?? '', state: row.state ?? undefined, stamp: stampOf(row) }
}
