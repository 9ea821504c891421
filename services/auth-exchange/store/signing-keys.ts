import type { Insertable, Selectable } from 'kysely'
import type { Db, SigningKeyRow } from './schema.js'

export type StoredKey = Selectable<SigningKeyRow>

/** Inserts the key unless there is an active one: of several first starts at once exactly one wins. */
export async function insertFirstKey(db: Db, key: Insertable<SigningKeyRow>): Promise<void> {
  await db.insertInto('signingKey').values(key).onConflict((on) => on.doNothing()).execute()
}

export function listKeys(db: Db): Promise<StoredKey[]> {
  return db.selectFrom('signingKey').selectAll().orderBy('createTime').execute()
}
