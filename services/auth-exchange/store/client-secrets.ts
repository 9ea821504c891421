import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { constraintOf } from '#libs/postgres/errors.js'
import type { ClientSecret } from '../domain/client-secret.js'
import type { LockoutSettings } from '../domain/lockout.js'
import { authMethodNotFound, bootstrapConflict, clientSecretNotFound } from '../domain/refusals.js'
import type { Verifiers } from '../domain/secret-hash.js'
import { UNIVERSAL_AUTH, type UniversalAuth } from '../domain/universal-auth.js'
import type { Db, Tx } from './schema.js'
import { signingKid } from './signing-keys.js'

type Owner = { readonly organizationId: string; readonly identityId: string }
type Key = Owner & { readonly id: string }

// What is shown of a secret: everything but what it is verified with.
const shown = ['organizationId', 'id', 'identityId', 'description', 'useLimit', 'uses', 'expireTime', 'trustedIps', 'lastUsedTime', 'lastUsedAddress', 'revokeTime', 'successorId', 'epoch', 'createTime'] as const

export async function insertClientSecret(tx: Tx, secret: ClientSecret, verifiers: Verifiers): Promise<void> {
  const argon2Parameters = JSON.stringify(verifiers.argon2Parameters)
  await tx.insertInto('clientSecret').values({ ...secret, ...verifiers, argon2Parameters }).execute().catch((error: unknown) => {
    const constraint = constraintOf(error)
    // Removed since it was read.
    if (constraint === 'client_secret_organization_id_identity_id_fkey') throw authMethodNotFound({ ...secret, method: UNIVERSAL_AUTH })
    // Only bootstrap brings an id of its own.
    throw constraint === 'client_secret_is_unique' ? bootstrapConflict() : error
  })
}

/** A secret with its verifiers, the method that it belongs to, which key signs, and where the feed stood: all that a login needs. */
export type SecretOfClient = ClientSecret & Verifiers & MethodOfSecret

export type ClientAndSecret = { readonly clientId: string; readonly id: string }

/** Whose rows are looked for where there is no such client. */
const NOBODY = sql`'00000000-0000-0000-0000-000000000000'::uuid`

type Found = SecretOfClient & { readonly place: number; readonly isThere: boolean; readonly feedEpoch: string; readonly feedSeq: string }

/**
 * One answer for each that is asked for, in their order, by one statement: null where there is no such secret of the client. What
 * is not there is looked for no less than what is, or the time of a refusal would tell which clients and secrets there are.
 */
export async function findSecretsOfClients(db: Db, asked: readonly ClientAndSecret[]): Promise<(SecretOfClient | null)[]> {
  const { rows } = await sql<Found>`
    select a.place, s.id is not null as is_there, s.organization_id, s.id, s.identity_id, s.description, s.digest, s.pepper_id, s.argon2_hash, s.argon2_salt, s.argon2_parameters,
           s.use_limit, s.uses, s.expire_time, s.trusted_ips, s.last_used_time, s.last_used_address, s.revoke_time, s.successor_id, s.epoch, s.create_time,
           i.epoch as identity_epoch, o.epoch as organization_epoch, m.epoch as method_epoch, m.etag as method_etag, m.access_token_ttl_seconds, m.access_token_max_ttl_seconds,
           m.access_token_use_limit, m.access_token_period_seconds, m.access_token_trusted_ips, m.client_secret_trusted_ips,
           m.lockout_enabled, m.lockout_threshold, m.lockout_duration_seconds, m.lockout_counter_reset_seconds, m.lockout_clear_time,
           (select ${feedEpoch('exchange')}) as feed_epoch, ${feedSeq('exchange')} as feed_seq, ${signingKid} as signing_kid
    from json_to_recordset(${JSON.stringify(asked.map((each, place) => ({ ...each, place })))}::json) as a(place integer, "clientId" uuid, id uuid)
    left join exchange.client_locator l on l.client_id = a."clientId"
    left join exchange.universal_auth m on m.organization_id = coalesce(l.organization_id, ${NOBODY}) and m.identity_id = coalesce(l.identity_id, ${NOBODY}) and m.client_id = a."clientId"
    left join exchange.client_secret s on s.organization_id = coalesce(m.organization_id, ${NOBODY}) and s.identity_id = coalesce(m.identity_id, ${NOBODY}) and s.id = a.id
    left join exchange.identity_epoch i on i.organization_id = coalesce(s.organization_id, ${NOBODY}) and i.identity_id = coalesce(s.identity_id, ${NOBODY})
    left join exchange.organization_epoch o on o.organization_id = coalesce(s.organization_id, ${NOBODY})
  `.execute(db)
  const found = new Map(rows.map(({ place, isThere, feedEpoch: epoch, feedSeq: seq, ...secret }) => [place, isThere ? { ...secret, stamp: { epoch, seq: Number(seq) } } : null]))
  return asked.map((_each, place) => found.get(place) ?? null)
}

type MethodSettings = 'accessTokenTtlSeconds' | 'accessTokenMaxTtlSeconds' | 'accessTokenUseLimit' | 'accessTokenPeriodSeconds' | 'accessTokenTrustedIps' | 'clientSecretTrustedIps'

export type MethodOfSecret = Pick<UniversalAuth, MethodSettings> & LockoutSettings & {
  readonly lockoutClearTime: Date | null
  readonly methodEpoch: string
  readonly methodEtag: string
  readonly identityEpoch: string | null
  readonly organizationEpoch: string | null
  readonly signingKid: string | null
  readonly stamp: Stamp
}

/** Up to `size + 1` secrets in order of creation, those after `after`. */
export function listClientSecrets(db: Db, { organizationId, identityId }: Owner, page: { size: number; after: string | undefined }): Promise<ClientSecret[]> {
  let query = db.selectFrom('clientSecret').select(shown).where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  if (page.after !== undefined) query = query.where('id', '>', page.after)
  return query.orderBy('id').limit(page.size + 1).execute()
}

export async function getClientSecret(db: Db, { organizationId, identityId, id }: Key): Promise<ClientSecret> {
  const query = db.selectFrom('clientSecret').select(shown).where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  const row = await query.where('id', '=', id).executeTakeFirst()
  if (!row) throw clientSecretNotFound(id)
  return row
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

/** Names the successor of a secret, and when the secret itself ends. */
export async function updateSuccessor(tx: Tx, { organizationId, id, expireTime, successorId }: ClientSecret): Promise<void> {
  await tx.updateTable('clientSecret').set({ expireTime, successorId }).where('organizationId', '=', organizationId).where('id', '=', id).execute()
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
