import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { constraintOf } from '#libs/postgres/errors.js'
import type { ClientSecret } from '../domain/client-secret.js'
import { bootstrapConflict, clientSecretNotFound } from '../domain/refusals.js'
import type { Verifiers } from '../domain/secret-hash.js'
import type { UniversalAuth } from '../domain/universal-auth.js'
import type { Db, Tx } from './schema.js'

type Owner = { readonly organizationId: string; readonly identityId: string }
type Key = Owner & { readonly id: string }

// What is shown of a secret: everything but what it is verified with.
const shown = ['organizationId', 'id', 'identityId', 'description', 'useLimit', 'uses', 'expireTime', 'trustedIps', 'lastUsedTime', 'lastUsedAddress', 'revokeTime', 'epoch', 'createTime'] as const

export async function insertClientSecret(tx: Tx, secret: ClientSecret, verifiers: Verifiers): Promise<void> {
  const argon2Parameters = JSON.stringify(verifiers.argon2Parameters)
  await tx.insertInto('clientSecret').values({ ...secret, ...verifiers, argon2Parameters }).execute().catch((error: unknown) => {
    // Only bootstrap brings an id of its own.
    throw constraintOf(error) === 'client_secret_is_unique' ? bootstrapConflict() : error
  })
}

/** A secret with its verifiers, the method that it belongs to, and where the feed stood: all that a login needs, by one statement. */
export async function findSecretOfClient(db: Db, clientId: string, id: string): Promise<(ClientSecret & Verifiers & MethodOfSecret) | undefined> {
  const row = await db
    .selectFrom('clientLocator as l')
    .innerJoin('universalAuth as m', (on) => on.onRef('m.organizationId', '=', 'l.organizationId').onRef('m.identityId', '=', 'l.identityId'))
    .innerJoin('clientSecret as s', (on) => on.onRef('s.organizationId', '=', 'm.organizationId').onRef('s.identityId', '=', 'm.identityId'))
    .leftJoin('identityEpoch as i', (on) => on.onRef('i.organizationId', '=', 's.organizationId').onRef('i.identityId', '=', 's.identityId'))
    .leftJoin('organizationEpoch as o', 'o.organizationId', 's.organizationId')
    .selectAll('s')
    .select(['i.epoch as identityEpoch', 'o.epoch as organizationEpoch', 'm.epoch as methodEpoch', 'm.accessTokenTtlSeconds', 'm.accessTokenMaxTtlSeconds'])
    .select(['m.accessTokenUseLimit', 'm.accessTokenPeriodSeconds', 'm.accessTokenTrustedIps', 'm.clientSecretTrustedIps'])
    .select([feedEpoch('exchange').as('feedEpoch'), feedSeq('exchange').as('feedSeq')])
    .where('l.clientId', '=', clientId).where('s.id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { feedEpoch: epoch, feedSeq: seq, ...secret } = row
  return { ...secret, stamp: { epoch, seq: Number(seq) } }
}

type MethodSettings = 'accessTokenTtlSeconds' | 'accessTokenMaxTtlSeconds' | 'accessTokenUseLimit' | 'accessTokenPeriodSeconds' | 'accessTokenTrustedIps' | 'clientSecretTrustedIps'

export type MethodOfSecret = Pick<UniversalAuth, MethodSettings> & {
  readonly methodEpoch: string
  readonly identityEpoch: string | null
  readonly organizationEpoch: string | null
  readonly stamp: Stamp
}

/** Up to `size + 1` secrets in order of creation, those after `after`. */
export function listClientSecrets(db: Db, { organizationId, identityId }: Owner, page: { size: number; after: string | undefined }): Promise<ClientSecret[]> {
  let query = db.selectFrom('clientSecret').select(shown).where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  if (page.after !== undefined) query = query.where('id', '>', page.after)
  return query.orderBy('id').limit(page.size + 1).execute()
}

export async function lockClientSecret(tx: Tx, { organizationId, identityId, id }: Key): Promise<ClientSecret> {
  const row = await tx
    .selectFrom('clientSecret').select(shown)
    .where('organizationId', '=', organizationId).where('identityId', '=', identityId).where('id', '=', id)
    .forUpdate().executeTakeFirst()
  if (!row) throw clientSecretNotFound(id)
  return row
}

/** Revokes a secret; its new epoch voids the tokens that it obtained. */
export async function revokeClientSecret(tx: Tx, { organizationId, id, revokeTime, epoch }: ClientSecret): Promise<void> {
  await tx.updateTable('clientSecret').set({ revokeTime, epoch }).where('organizationId', '=', organizationId).where('id', '=', id).execute()
}

/** Revokes all secrets that are not revoked, or those with a limited number of uses, and voids the tokens that they obtained. */
export function revokeClientSecrets(tx: Tx, which: 'all' | 'limited', revokeTime: Date): Promise<Key[]> {
  let query = tx.updateTable('clientSecret').set({ revokeTime, epoch: sql<string>`gen_random_uuid()` }).where('revokeTime', 'is', null)
  if (which === 'limited') query = query.where('useLimit', 'is not', null)
  return query.returning(['organizationId', 'identityId', 'id']).execute()
}

/** Replaces the digest of a secret that was verified by its argon2id hash or under an older pepper. */
export async function updateDigest(db: Db, { organizationId, id }: Key, { digest, pepperId }: Pick<Verifiers, 'digest' | 'pepperId'>): Promise<void> {
  await db.updateTable('clientSecret').set({ digest, pepperId }).where('organizationId', '=', organizationId).where('id', '=', id).execute()
}
