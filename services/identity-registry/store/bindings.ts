import { constraintOf } from '#libs/postgres/errors.js'
import type { Binding, BoundRole } from '../domain/binding.js'
import { bindingExists, bindingNotFound, identityNotFound, projectNotFound } from '../domain/refusals.js'
import { builtInRoleById } from '../domain/role.js'
import type { Db, Tx } from './schema.js'

type Key = { readonly organizationId: string; readonly id: string }

/** The roles to bind, before their names are known again. */
type RoleInWindow = Omit<BoundRole, 'role'>

export async function insertBinding(tx: Tx, binding: Binding, roles: readonly RoleInWindow[]): Promise<void> {
  await tx.insertInto('binding').values(binding).execute().catch((error: unknown) => {
    const constraint = constraintOf(error)
    if (constraint === 'binding_is_unique') throw bindingExists(binding.identityId, binding.projectId)
    if (constraint === 'binding_identity_exists') throw identityNotFound(binding.identityId)
    throw constraint === 'binding_project_exists' ? projectNotFound(binding.projectId ?? '') : error
  })
  await insertBoundRoles(tx, binding, roles)
}

async function insertBoundRoles(tx: Tx, { organizationId, id }: Key, roles: readonly RoleInWindow[]): Promise<void> {
  const rows = roles.map(({ roleId, startTime, endTime }) => ({ organizationId, bindingId: id, roleId, startTime, endTime }))
  await tx.insertInto('boundRole').values(rows).execute()
}

export async function getBinding(db: Db, { organizationId, id }: Key): Promise<Binding> {
  const row = await db.selectFrom('binding').selectAll().where('organizationId', '=', organizationId).where('id', '=', id).executeTakeFirst()
  if (!row) throw bindingNotFound(id)
  return row
}

export async function lockBinding(tx: Tx, { organizationId, id }: Key): Promise<Binding> {
  const query = tx.selectFrom('binding').selectAll().where('organizationId', '=', organizationId).where('id', '=', id).forUpdate()
  const row = await query.executeTakeFirst()
  if (!row) throw bindingNotFound(id)
  return row
}

type Filter = { readonly projectId: string | undefined; readonly identityId: string | undefined; readonly size: number; readonly after: string | undefined }

/** Up to `size + 1` bindings in order of creation: of a project, else of an identity anywhere, else of the organization itself. */
export function listBindings(db: Db, organizationId: string, { projectId, identityId, size, after }: Filter): Promise<Binding[]> {
  let query = db.selectFrom('binding').selectAll().where('organizationId', '=', organizationId)
  if (projectId !== undefined) query = query.where('projectId', '=', projectId)
  else if (identityId === undefined) query = query.where('projectId', 'is', null)
  if (identityId !== undefined) query = query.where('identityId', '=', identityId)
  if (after !== undefined) query = query.where('id', '>', after)
  return query.orderBy('id').limit(size + 1).execute()
}

/** The roles of some bindings, by binding, each named as it is called now. */
export async function listBoundRoles(db: Db, organizationId: string, bindingIds: readonly string[]): Promise<Map<string, BoundRole[]>> {
  const roles = new Map<string, BoundRole[]>(bindingIds.map((id) => [id, []]))
  if (bindingIds.length === 0) return roles
  const rows = await db
    .selectFrom('boundRole')
    .leftJoin('role', (on) => on.onRef('role.organizationId', '=', 'boundRole.organizationId').onRef('role.id', '=', 'boundRole.roleId'))
    .select(['boundRole.bindingId', 'boundRole.roleId', 'boundRole.startTime', 'boundRole.endTime', 'role.name'])
    .where('boundRole.organizationId', '=', organizationId).where('boundRole.bindingId', 'in', bindingIds)
    .orderBy('boundRole.roleId').execute()
  for (const { bindingId, roleId, startTime, endTime, name } of rows) {
    roles.get(bindingId)?.push({ roleId, startTime, endTime, role: builtInRoleById(roleId)?.name ?? name ?? '' })
  }
  return roles
}

export async function replaceBoundRoles(tx: Tx, binding: Binding, roles: readonly RoleInWindow[]): Promise<void> {
  const { organizationId, id, updateTime, etag } = binding
  await tx.updateTable('binding').set({ updateTime, etag }).where('organizationId', '=', organizationId).where('id', '=', id).execute()
  await tx.deleteFrom('boundRole').where('organizationId', '=', organizationId).where('bindingId', '=', id).execute()
  await insertBoundRoles(tx, binding, roles)
}

export async function deleteBinding(tx: Tx, { organizationId, id }: Key): Promise<void> {
  await tx.deleteFrom('binding').where('organizationId', '=', organizationId).where('id', '=', id).execute()
}
