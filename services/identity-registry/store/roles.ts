import { constraintOf } from '#libs/postgres/errors.js'
import { projectNotFound, roleNameTaken, roleNotFound } from '../domain/refusals.js'
import { builtInRoleByName, type CustomRole, levelOf } from '../domain/role.js'
import type { Db, Tx } from './schema.js'

type Key = { readonly organizationId: string; readonly id: string }

export async function insertRole(tx: Tx, role: CustomRole): Promise<void> {
  const row = { ...role, rules: JSON.stringify(role.rules) }
  await tx.insertInto('role').values(row).execute().catch((error: unknown) => {
    if (constraintOf(error) === 'role_name_is_unique') throw roleNameTaken(role.name)
    throw constraintOf(error) === 'role_project_exists' ? projectNotFound(role.projectId ?? '') : error
  })
}

export async function findRole(db: Db, { organizationId, id }: Key): Promise<CustomRole | undefined> {
  return db.selectFrom('role').selectAll().where('organizationId', '=', organizationId).where('id', '=', id).executeTakeFirst()
}

export async function getRole(db: Db, key: Key): Promise<CustomRole> {
  const row = await findRole(db, key)
  if (!row) throw roleNotFound(key.id)
  return row
}

export async function lockRole(tx: Tx, { organizationId, id }: Key): Promise<CustomRole> {
  const query = tx.selectFrom('role').selectAll().where('organizationId', '=', organizationId).where('id', '=', id).forUpdate()
  const row = await query.executeTakeFirst()
  if (!row) throw roleNotFound(id)
  return row
}

export type Scope = { readonly organizationId: string; readonly projectId: string | null }

/** The ids of the roles of these names, as far as there are such roles; nothing keeps them there. */
export async function findRoleIds(db: Db, { organizationId, projectId }: Scope, names: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('role').select('id')
    .where('organizationId', '=', organizationId).where('projectId', projectId === null ? 'is' : '=', projectId)
    .where('name', 'in', names).execute()
  return rows.map(({ id }) => id)
}

/**
 * The ids of the roles of these names, in their order. Custom ones stay locked against deletion until the transaction
 * ends; they are locked in order of id, so that two transactions can't wait for each other.
 */
export async function lockRolesByName(tx: Tx, { organizationId, projectId }: Scope, names: readonly string[]): Promise<string[]> {
  const custom = names.filter((name) => !builtInRoleByName(levelOf(projectId), name))
  const rows = custom.length === 0 ? [] : await tx
    .selectFrom('role').select(['id', 'name'])
    .where('organizationId', '=', organizationId).where('projectId', projectId === null ? 'is' : '=', projectId)
    .where('name', 'in', custom).orderBy('id').forShare().execute()
  return names.map((name) => {
    const id = builtInRoleByName(levelOf(projectId), name)?.id ?? rows.find((row) => row.name === name)?.id
    if (id === undefined) throw roleNotFound(name)
    return id
  })
}

/** Up to `size + 1` custom roles of the scope in order of creation, those after `after`. */
export function listRoles(db: Db, { organizationId, projectId }: Scope, page: { size: number; after: string | undefined }): Promise<CustomRole[]> {
  let query = db.selectFrom('role').selectAll().where('organizationId', '=', organizationId).where('projectId', projectId === null ? 'is' : '=', projectId)
  if (page.after !== undefined) query = query.where('id', '>', page.after)
  return query.orderBy('id').limit(page.size + 1).execute()
}

export async function updateRole(tx: Tx, { organizationId, id, description, rules, updateTime, etag }: CustomRole): Promise<void> {
  await tx
    .updateTable('role').set({ description, rules: JSON.stringify(rules), updateTime, etag })
    .where('organizationId', '=', organizationId).where('id', '=', id).execute()
}

export async function isRoleInUse(tx: Tx, { organizationId, id }: Key): Promise<boolean> {
  const query = tx.selectFrom('boundRole').select('roleId').where('organizationId', '=', organizationId).where('roleId', '=', id).limit(1)
  return (await query.executeTakeFirst()) !== undefined
}

export async function deleteRole(tx: Tx, { organizationId, id }: Key): Promise<void> {
  await tx.deleteFrom('role').where('organizationId', '=', organizationId).where('id', '=', id).execute()
}
