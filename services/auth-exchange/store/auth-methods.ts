import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { constraintOf } from '#libs/postgres/errors.js'
import type { AuthMethod } from '../domain/auth-method.js'
import { NOTHING_SEALED, type Sealed } from '../domain/sealed.js'
import { authMethodExists, authMethodNotFound } from '../domain/refusals.js'
import { tokenSettingsOf } from '../domain/token-settings.js'
import type { Db, Tx } from './schema.js'
import { signingKid } from './signing-keys.js'

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

/** A method that tokens are issued by, with everything that they are to rest on and where the feed stood, by one statement. */
export type IssuingMethod = AuthMethod & {
  readonly identityEpoch: string | null
  readonly organizationEpoch: string | null
  /** The key that signs, read with the stamp. */
  readonly signingKid: string | null
  readonly stamp: Stamp
}

export async function getIssuingMethod(db: Db, key: Key): Promise<IssuingMethod> {
  const row = await oneOf(db, key)
    .leftJoin('identityEpoch as i', (on) => on.onRef('i.organizationId', '=', 'a.organizationId').onRef('i.identityId', '=', 'a.identityId'))
    .leftJoin('organizationEpoch as o', 'o.organizationId', 'a.organizationId')
    .select(['i.epoch as identityEpoch', 'o.epoch as organizationEpoch', feedEpoch('exchange').as('feedEpoch'), feedSeq('exchange').as('feedSeq'), signingKid.as('signingKid')])
    .executeTakeFirst()
  if (!row) throw authMethodNotFound(key)
  const { feedEpoch: epoch, feedSeq: seq, ...method } = row
  return { ...method, stamp: { epoch, seq: Number(seq) } }
}

/** Those of an identity by their names, without Universal Auth. */
export function listAuthMethods(db: Db, { organizationId, identityId }: Owner): Promise<AuthMethod[]> {
  const query = db.selectFrom('authMethod as a').select(columns).where('a.organizationId', '=', organizationId).where('a.identityId', '=', identityId)
  return query.orderBy('a.method').execute()
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
  ...(['a.organizationId', 'a.identityId', 'a.method', 'a.id', 'a.configuration', 'a.epoch', 'a.createTime', 'a.updateTime', 'a.etag'] as const),
  ...(['a.accessTokenTtlSeconds', 'a.accessTokenMaxTtlSeconds', 'a.accessTokenUseLimit', 'a.accessTokenPeriodSeconds', 'a.accessTokenTrustedIps'] as const),
] as const

const oneOf = (db: Db, { organizationId, identityId, method }: Key) =>
  db.selectFrom('authMethod as a').select(columns).where('a.organizationId', '=', organizationId).where('a.identityId', '=', identityId).where('a.method', '=', method)
