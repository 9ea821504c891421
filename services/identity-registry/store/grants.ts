import { sql } from 'kysely'
import type { Rule } from '#libs/rules/rule.js'
import type { Grants, Holder } from '../domain/grants.js'
import type { IdentityState } from '../domain/identity.js'
import { builtInRoleById } from '../domain/role.js'
import type { Db } from './schema.js'

type BoundRoleJson = { roleId: string; role: string | null; rules: Rule[] | null; startTime: string | null; endTime: string | null }

/** What an identity holds in a scope, windows that are over left out; undefined where there is no such identity. One statement. */
export async function findGrants(db: Db, { organizationId, identityId, projectId }: Holder, now: Date): Promise<Grants | undefined> {
  const project = projectId ?? null
  const { rows } = await sql<{ name: string; state: IdentityState; bound: BoundRoleJson[] | null }>`
    select i.name, i.state, (
      select json_agg(json_build_object('roleId', br.role_id, 'role', r.name, 'rules', r.rules,
                                        'startTime', br.start_time, 'endTime', br.end_time) order by br.role_id)
      from registry.binding b
      join registry.bound_role br on br.organization_id = b.organization_id and br.binding_id = b.id
      left join registry.role r on r.organization_id = br.organization_id and r.id = br.role_id
      where b.organization_id = i.organization_id and b.identity_id = i.id
        and (b.project_id = ${project}::uuid or (${project}::uuid is null and b.project_id is null))
        and (br.end_time is null or br.end_time > ${now})
    ) as bound
    from registry.identity i
    where i.organization_id = ${organizationId} and i.id = ${identityId}
  `.execute(db)
  const [row] = rows
  if (!row) return undefined
  const grants = (row.bound ?? []).map(({ roleId, role, rules, startTime, endTime }) => ({
    roleId,
    role: role ?? builtInRoleById(roleId)?.name ?? '',
    rules: rules ?? builtInRoleById(roleId)?.rules ?? [],
    startTime: dateOf(startTime),
    endTime: dateOf(endTime),
  }))
  return { name: row.name, state: row.state, grants }
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text))
