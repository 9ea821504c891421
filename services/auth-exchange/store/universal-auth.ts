import { sql } from 'kysely'
import { constraintOf } from '#libs/postgres/errors.js'
import { authMethodExists, authMethodNotFound } from '../domain/refusals.js'
import { settingsOf, UNIVERSAL_AUTH, type UniversalAuth } from '../domain/universal-auth.js'
import type { ClientLocator, Db, Tx } from './schema.js'

type Key = { readonly organizationId: string; readonly identityId: string }

/** Whether the client id was free; false where it is somebody's, also if somebody is taking it at this moment. */
export async function insertClientLocator(tx: Tx, { clientId, organizationId, identityId }: ClientLocator): Promise<boolean> {
  const insert = tx.insertInto('clientLocator').values({ clientId, organizationId, identityId })
  const row = await insert.onConflict((on) => on.column('clientId').doNothing()).returning('clientId').executeTakeFirst()
  return row !== undefined
}

/** Inserts the method, whose client id must have its locator. */
export async function insertUniversalAuth(tx: Tx, method: UniversalAuth): Promise<void> {
  await tx.insertInto('universalAuth').values(method).execute().catch((error: unknown) => {
    throw constraintOf(error) === 'universal_auth_is_unique' ? authMethodExists({ ...method, method: UNIVERSAL_AUTH }) : error
  })
}

export function findUniversalAuth(db: Db, { organizationId, identityId }: Key): Promise<UniversalAuth | undefined> {
  const query = db.selectFrom('universalAuth').selectAll().where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  return query.executeTakeFirst()
}

export async function getUniversalAuth(db: Db, key: Key): Promise<UniversalAuth> {
  const row = await findUniversalAuth(db, key)
  if (!row) throw authMethodNotFound({ ...key, method: UNIVERSAL_AUTH })
  return row
}

export async function lockUniversalAuth(tx: Tx, { organizationId, identityId }: Key): Promise<UniversalAuth> {
  const query = tx.selectFrom('universalAuth').selectAll().where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  const row = await query.forUpdate().executeTakeFirst()
  if (!row) throw authMethodNotFound({ identityId, method: UNIVERSAL_AUTH })
  return row
}

export async function updateUniversalAuth(tx: Tx, method: UniversalAuth): Promise<void> {
  const { organizationId, identityId, updateTime, etag } = method
  await tx
    .updateTable('universalAuth').set({ ...settingsOf(method), updateTime, etag })
    .where('organizationId', '=', organizationId).where('identityId', '=', identityId).execute()
}

export async function clearLockouts(tx: Tx, { organizationId, identityId }: Key, lockoutClearTime: Date): Promise<void> {
  await tx.updateTable('universalAuth').set({ lockoutClearTime }).where('organizationId', '=', organizationId).where('identityId', '=', identityId).execute()
}

/** Whose these client ids are; of those that are nobody's there is no row. */
export function listClientLocators(db: Db, clientIds: readonly string[]): Promise<ClientLocator[]> {
  return db.selectFrom('clientLocator').selectAll().where(sql<boolean>`client_id = any(${clientIds}::uuid[])`).execute()
}

/** Deletes the method with its client secrets, on which its tokens rest, and answers its client id. The locator stays, so that a client id is never given twice. */
export async function deleteUniversalAuth(tx: Tx, { organizationId, identityId }: Key): Promise<string> {
  const query = tx.deleteFrom('universalAuth').where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  const row = await query.returning('clientId').executeTakeFirst()
  if (!row) throw authMethodNotFound({ identityId, method: UNIVERSAL_AUTH })
  return row.clientId
}

/** Whether the client id was that of this identity, and was removed. */
export async function wasRemoved(tx: Tx, { clientId, organizationId, identityId }: ClientLocator): Promise<boolean> {
  const row = await tx
    .selectFrom('clientLocator as l')
    .leftJoin('universalAuth as m', 'm.clientId', 'l.clientId')
    .select('l.clientId')
    .where('l.clientId', '=', clientId).where('l.organizationId', '=', organizationId).where('l.identityId', '=', identityId).where('m.clientId', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

/** Voids every token that the method ever obtained for anybody. */
export async function voidTokensOfAll(tx: Tx): Promise<void> {
  await tx.updateTable('universalAuth').set({ epoch: sql<string>`gen_random_uuid()` }).execute()
}

/** Of every organization that there is: its first identity was given a client id, whose locator stays. */
export async function listOrganizationIds(tx: Tx): Promise<string[]> {
  const rows = await tx.selectFrom('clientLocator').select('organizationId').distinct().orderBy('organizationId').execute()
  return rows.map(({ organizationId }) => organizationId)
}
