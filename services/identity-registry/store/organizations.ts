import type { Organization } from '../domain/identity.js'
import { organizationNotFound } from '../domain/refusals.js'
import type { Db, Tx } from './schema.js'

/** Whether the organization was inserted; false where its id exists already. */
export async function insertOrganization(tx: Tx, organization: Organization): Promise<boolean> {
  const row = await tx.insertInto('organization').values(organization).onConflict((on) => on.column('id').doNothing()).returning('id').executeTakeFirst()
  return row !== undefined
}

export async function getOrganization(db: Db, id: string): Promise<Organization> {
  const row = await db.selectFrom('organization').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw organizationNotFound(id)
  return row
}

/** Of the whole installation, in order of creation: for its operator alone. */
export function listOrganizations(db: Db): Promise<Pick<Organization, 'id' | 'name'>[]> {
  return db.selectFrom('organization').select(['id', 'name']).orderBy('id').execute()
}

/** Against others who write it; whoever only refers to it, as what is made in it does, neither waits nor is waited for. */
export async function lockOrganization(tx: Tx, id: string): Promise<Organization> {
  const row = await tx.selectFrom('organization').selectAll().where('id', '=', id).forNoKeyUpdate().executeTakeFirst()
  if (!row) throw organizationNotFound(id)
  return row
}

export async function updateOrganization(tx: Tx, { id, name, updateTime, etag }: Organization): Promise<void> {
  await tx.updateTable('organization').set({ name, updateTime, etag }).where('id', '=', id).execute()
}
