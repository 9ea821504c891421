import { sql } from 'kysely'
import { constraintOf } from '#libs/postgres/errors.js'
import type { AuthMethod } from '../domain/auth-method.js'
import { NOTHING_SEALED, type Sealed } from '../domain/sealed.js'
import { authMethodExists, authMethodNotFound } from '../domain/refusals.js'
import { tokenSettingsOf } from '../domain/token-settings.js'
import type { Db, Tx } from './schema.js'

type Owner = { readonly organizationId: string; readonly identityId: string }
type Key = Owner & { readonly method: string }

export async function insertAuthMethod(tx: Tx, method: AuthMethod, sealed: Sealed = NOTHING_SEALED): Promise<void> {
  const configuration = JSON.stringify(method.configuration)
  await tx.insertInto('authMethod').values({ ...method, configuration, ...sealed }).execute().catch((error: unknown) => {
    throw constraintOf(error) === 'auth_method_is_unique' ? authMethodExists(method) : error
  })
}

export async function getAuthMethod(db: Db, key: Key): Promise<AuthMethod> {
  const row = await oneOf(db, key).executeTakeFirst()
  if (!row) throw authMethodNotFound(key)
  return row
}

/** Those of an identity by their names, without Universal Auth. */
export function listAuthMethods(db: Db, { organizationId, identityId }: Owner): Promise<AuthMethod[]> {
  const query = db.selectFrom('authMethod').select(columns).where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  return query.orderBy('method').execute()
}

export async function lockAuthMethod(tx: Tx, key: Key): Promise<AuthMethod> {
  const row = await oneOf(tx, key).forUpdate().executeTakeFirst()
  if (!row) throw authMethodNotFound(key)
  return row
}

/** `sealed`: what is secret in the configuration from now on; without it that stays what it was. */
export async function updateAuthMethod(tx: Tx, changed: AuthMethod, sealed?: Sealed): Promise<void> {
  const { organizationId, identityId, method, updateTime, etag } = changed
  const configuration = JSON.stringify(changed.configuration)
  await tx
    .updateTable('authMethod').set({ ...tokenSettingsOf(changed), configuration, ...sealed, updateTime, etag })
    .where('organizationId', '=', organizationId).where('identityId', '=', identityId).where('method', '=', method).execute()
}

/** Deletes a method, on which its tokens rest, and answers its id. */
export async function deleteAuthMethod(tx: Tx, key: Key): Promise<string> {
  const { organizationId, identityId, method } = key
  const query = tx.deleteFrom('authMethod').where('organizationId', '=', organizationId).where('identityId', '=', identityId).where('method', '=', method)
  const row = await query.returning('id').executeTakeFirst()
  if (!row) throw authMethodNotFound(key)
  return row.id
}

/** Voids every token of every such method, also in a backup that is older than the table: it has none. */
export async function voidMethodTokensOfAll(tx: Tx): Promise<void> {
  const { rows } = await sql<{ isThere: boolean }>`select to_regclass('exchange.auth_method') is not null as is_there`.execute(tx)
  if (rows[0]?.isThere) await tx.updateTable('authMethod').set({ epoch: sql<string>`gen_random_uuid()` }).execute()
}

// All but what is sealed.
const columns = [
  ...(['organizationId', 'identityId', 'method', 'id', 'configuration', 'epoch', 'createTime', 'updateTime', 'etag'] as const),
  ...(['accessTokenTtlSeconds', 'accessTokenMaxTtlSeconds', 'accessTokenUseLimit', 'accessTokenPeriodSeconds', 'accessTokenTrustedIps'] as const),
] as const

const oneOf = (db: Db, { organizationId, identityId, method }: Key) =>
  db.selectFrom('authMethod').select(columns).where('organizationId', '=', organizationId).where('identityId', '=', identityId).where('method', '=', method)
