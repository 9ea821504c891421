import { constraintOf } from '#libs/postgres/errors.js'
import { authMethodExists, authMethodNotFound } from '../domain/refusals.js'
import type { UniversalAuth } from '../domain/universal-auth.js'
import type { Db, Tx } from './schema.js'

type Key = { readonly organizationId: string; readonly identityId: string }

export async function insertUniversalAuth(tx: Tx, method: UniversalAuth): Promise<void> {
  const { clientId, organizationId, identityId } = method
  await tx.insertInto('clientLocator').values({ clientId, organizationId, identityId }).execute()
  await tx.insertInto('universalAuth').values(method).execute().catch((error: unknown) => {
    throw constraintOf(error) === 'universal_auth_is_unique' ? authMethodExists(identityId) : error
  })
}

/** The identity that a client id logs in as. */
export async function findIdentityOfClient(db: Db, clientId: string): Promise<Key | undefined> {
  return db.selectFrom('clientLocator').select(['organizationId', 'identityId']).where('clientId', '=', clientId).executeTakeFirst()
}

export async function getUniversalAuth(db: Db, { organizationId, identityId }: Key): Promise<UniversalAuth> {
  const query = db.selectFrom('universalAuth').selectAll().where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  const row = await query.executeTakeFirst()
  if (!row) throw authMethodNotFound(identityId)
  return row
}

export async function lockUniversalAuth(tx: Tx, { organizationId, identityId }: Key): Promise<UniversalAuth> {
  const query = tx.selectFrom('universalAuth').selectAll().where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  const row = await query.forUpdate().executeTakeFirst()
  if (!row) throw authMethodNotFound(identityId)
  return row
}

export async function updateUniversalAuth(tx: Tx, method: UniversalAuth): Promise<void> {
  const { organizationId, identityId, accessTokenTtlSeconds, accessTokenMaxTtlSeconds, updateTime, etag } = method
  await tx
    .updateTable('universalAuth').set({ accessTokenTtlSeconds, accessTokenMaxTtlSeconds, updateTime, etag })
    .where('organizationId', '=', organizationId).where('identityId', '=', identityId).execute()
}
