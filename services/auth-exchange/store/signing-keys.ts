import { type Insertable, type RawBuilder, type Selectable, sql } from 'kysely'
import type { Db, SigningKeyRow, Tx } from './schema.js'

export type StoredKey = Selectable<SigningKeyRow>
export type NewKey = Insertable<SigningKeyRow>

export function listKeys(db: Db): Promise<StoredKey[]> {
  return db.selectFrom('signingKey').selectAll().orderBy('createTime').execute()
}

/** All keys. Whoever waited for another replica sees what that one made of them, but none that is new. */
export function lockKeys(tx: Tx): Promise<StoredKey[]> {
  return tx.selectFrom('signingKey').selectAll().orderBy('kid').forUpdate().execute()
}

/** False where there is another of its state, prepared or active: of several replicas at once exactly one wins. */
export async function insertKey(tx: Tx, key: NewKey): Promise<boolean> {
  const row = await tx.insertInto('signingKey').values(key).onConflict((on) => on.doNothing()).returning('kid').executeTakeFirst()
  return row !== undefined
}

/** Has the prepared key sign at this time, if it was to sign later. */
export async function hastenPreparedKey(tx: Tx, activateTime: Date): Promise<void> {
  await tx.updateTable('signingKey').set({ activateTime }).where('state', '=', 'prepared').where('activateTime', '>', activateTime).execute()
}

/** The key that signed signs no more: its private half is not kept. */
export async function retireActiveKey(tx: Tx, retireTime: Date): Promise<string | undefined> {
  const update = tx.updateTable('signingKey').set({ state: 'retired', retireTime, sealedPrivateKey: null }).where('state', '=', 'active')
  return (await update.returning('kid').executeTakeFirst())?.kid
}

export async function activateKey(tx: Tx, kid: string, activateTime: Date): Promise<void> {
  await tx.updateTable('signingKey').set({ state: 'active', activateTime }).where('kid', '=', kid).execute()
}

export async function deleteKey(tx: Tx, kid: string): Promise<void> {
  await tx.deleteFrom('signingKey').where('kid', '=', kid).execute()
}

export type ResealedKey = Pick<StoredKey, 'kid' | 'sealedPrivateKey' | 'keyEncryptionKeyId'>

/** False where another replica was first. */
export async function updateSealedKey(tx: Tx, { kid, sealedPrivateKey, keyEncryptionKeyId }: ResealedKey, earlierId: string): Promise<boolean> {
  const update = tx.updateTable('signingKey').set({ sealedPrivateKey, keyEncryptionKeyId }).where('kid', '=', kid).where('keyEncryptionKeyId', '=', earlierId)
  return (await update.where('sealedPrivateKey', 'is not', null).returning('kid').executeTakeFirst()) !== undefined
}

/**
 * Which key signs, for a statement that reads the stamp of what will be signed: a key that is gone since is a change after
 * that stamp, so that no copy of the token can outlive it.
 */
export const signingKid = sql<string | null>`(select kid from exchange.signing_key where state = 'active')`

/** Whether the key is still there. */
export const isKeyThere = (kid: RawBuilder<unknown>): RawBuilder<boolean> => sql<boolean>`exists (select from exchange.signing_key where kid = ${kid})`

export async function hasKey(db: Db, kid: string): Promise<boolean> {
  return (await db.selectFrom('signingKey').select('kid').where('kid', '=', kid).executeTakeFirst()) !== undefined
}
