import { constraintOf } from '#libs/postgres/errors.js'
import type { Identity } from '../domain/identity.js'
import { identityNameTaken, identityNotFound } from '../domain/refusals.js'
import type { Db, Tx } from './schema.js'

type Key = { readonly organizationId: string; readonly id: string }

export async function insertIdentity(tx: Tx, identity: Identity): Promise<void> {
  await tx.insertInto('identity').values(identity).execute().catch(refuseTakenName(identity.name))
}

export function findIdentity(db: Db, { organizationId, id }: Key): Promise<Identity | undefined> {
  return db.selectFrom('identity').selectAll().where('organizationId', '=', organizationId).where('id', '=', id).executeTakeFirst()
}

export async function getIdentity(db: Db, key: Key): Promise<Identity> {
  const row = await findIdentity(db, key)
  if (!row) throw identityNotFound(key.id)
  return row
}

/** Against others who write it; whoever only refers to it neither waits nor is waited for. */
export async function lockIdentity(tx: Tx, { organizationId, id }: Key): Promise<Identity> {
  const query = tx.selectFrom('identity').selectAll().where('organizationId', '=', organizationId).where('id', '=', id).forNoKeyUpdate()
  const row = await query.executeTakeFirst()
  if (!row) throw identityNotFound(id)
  return row
}

/** Up to `size + 1` identities in order of creation, those after `after`. */
export function listIdentities(db: Db, organizationId: string, page: { size: number; after: string | undefined; name: string }): Promise<Identity[]> {
  let query = db.selectFrom('identity').selectAll().where('organizationId', '=', organizationId)
  if (page.after !== undefined) query = query.where('id', '>', page.after)
  if (page.name !== '') query = query.where('name', '=', page.name)
  return query.orderBy('id').limit(page.size + 1).execute()
}

export async function updateIdentity(tx: Tx, { organizationId, id, name, state, updateTime, etag }: Identity): Promise<void> {
  const query = tx.updateTable('identity').set({ name, state, updateTime, etag }).where('organizationId', '=', organizationId).where('id', '=', id)
  await query.execute().catch(refuseTakenName(name))
}

/** Deletes the identity; its bindings go with it. */
export async function deleteIdentity(tx: Tx, { organizationId, id }: Key): Promise<void> {
  await tx.deleteFrom('identity').where('organizationId', '=', organizationId).where('id', '=', id).execute()
}

const refuseTakenName = (name: string) => (error: unknown): never => {
  throw constraintOf(error) === 'identity_name_is_unique' ? identityNameTaken(name) : error
}
