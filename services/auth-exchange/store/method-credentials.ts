import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import type { AuthMethod } from '../domain/auth-method.js'
import type { Sealed } from '../domain/sealed.js'
import type { Db } from './schema.js'
import { signingKid } from './signing-keys.js'

/** A method with all that a login by it needs. */
export type MethodCredential = AuthMethod & Sealed & {
  readonly identityEpoch: string | null
  readonly organizationEpoch: string | null
  /** The key that signs, read with the stamp. */
  readonly signingKid: string | null
  readonly stamp: Stamp
}

/** The method of an identity of whatever organization, its secrets included, and where the feed stood, by one statement. */
export async function findMethodCredential(db: Db, { identityId, method }: { readonly identityId: string; readonly method: string }): Promise<MethodCredential | undefined> {
  const row = await db
    .selectFrom('authMethod as m')
    .leftJoin('identityEpoch as i', (on) => on.onRef('i.organizationId', '=', 'm.organizationId').onRef('i.identityId', '=', 'm.identityId'))
    .leftJoin('organizationEpoch as o', 'o.organizationId', 'm.organizationId')
    .selectAll('m')
    .select(['i.epoch as identityEpoch', 'o.epoch as organizationEpoch'])
    .select([feedEpoch('exchange').as('feedEpoch'), feedSeq('exchange').as('feedSeq'), signingKid.as('signingKid')])
    .where('m.identityId', '=', identityId).where('m.method', '=', method)
    .executeTakeFirst()
  if (!row) return undefined
  const { feedEpoch: epoch, feedSeq: seq, ...credential } = row
  return { ...credential, stamp: { epoch, seq: Number(seq) } }
}

export type MethodOwner = Pick<AuthMethod, 'organizationId' | 'identityId' | 'method'>

/** The methods of these identities, of whatever organizations. */
export function listMethodOwners(db: Db, identityIds: readonly string[]): Promise<MethodOwner[]> {
  return db.selectFrom('authMethod').select(['organizationId', 'identityId', 'method']).where(sql<boolean>`identity_id = any(${identityIds}::uuid[])`).execute()
}

export type SealedMethod = Pick<AuthMethod, 'organizationId' | 'identityId' | 'method' | 'id' | 'etag'> & Sealed

/** Methods whose secret is encrypted under one of these keys. */
export function listSealedUnder(db: Db, keyIds: readonly string[], size: number): Promise<SealedMethod[]> {
  const query = db.selectFrom('authMethod').select(['organizationId', 'identityId', 'method', 'id', 'etag', 'sealedConfiguration', 'keyEncryptionKeyId'])
  return query.where('keyEncryptionKeyId', 'in', keyIds).where('sealedConfiguration', 'is not', null).limit(size).execute()
}

/** The same secret under another key; nothing where somebody changed the method meanwhile. */
export async function updateSealed(db: Db, { organizationId, identityId, method, etag, keyEncryptionKeyId }: SealedMethod, sealed: Sealed): Promise<void> {
  await db
    .updateTable('authMethod').set(sealed)
    .where('organizationId', '=', organizationId).where('identityId', '=', identityId).where('method', '=', method)
    .where('etag', '=', etag).where('keyEncryptionKeyId', '=', keyEncryptionKeyId).execute()
}
