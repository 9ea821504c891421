import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { type AccessTokenRecord, type Claims, type Counted, isSpent, standsBehind } from '../domain/access-token.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { Db, Tx } from './schema.js'
import { restsOnWhatItDid, trustedIpsNow } from './standing.js'

type Key = { readonly organizationId: string; readonly id: string }

export type TokenStanding = {
  readonly record: AccessTokenRecord & Counted
  /** The token was revoked, or all of its secret, method, identity or organization, or its uses are spent: it will never be good again. */
  readonly revoked: boolean
  /** From where the tokens of its method may be used. */
  readonly trustedIps: readonly string[]
  readonly stamp: Stamp
}

/** The record of a token and whether it still stands, with where the feed stood, by one statement. */
export async function findToken(db: Db, { organizationId, id }: Key): Promise<TokenStanding | undefined> {
  const row = await db
    .selectFrom('accessToken as t')
    .selectAll('t')
    .select([restsOnWhatItDid.as('rests'), trustedIpsNow.as('trustedIps'), feedEpoch('exchange').as('feedEpoch'), feedSeq('exchange').as('feedSeq')])
    .where('t.organizationId', '=', organizationId).where('t.id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { rests, trustedIps, feedEpoch: epoch, feedSeq: seq, ...record } = row
  return { record, revoked: record.revokeTime !== null || !rests || isSpent(record), trustedIps, stamp: { epoch, seq: Number(seq) } }
}

/** The standing of the token that claims this; refused where its record says anything else. */
export async function getStanding(db: Db, claims: Claims): Promise<TokenStanding> {
  const standing = await findToken(db, { organizationId: claims.org, id: claims.jti })
  if (!standing || !standsBehind(standing.record, claims)) throw accessTokenRejected()
  return standing
}

export async function lockToken(tx: Tx, { organizationId, id }: Key): Promise<AccessTokenRecord | undefined> {
  const query = tx.selectFrom('accessToken').selectAll().where('organizationId', '=', organizationId).where('id', '=', id)
  return query.forUpdate().executeTakeFirst()
}

/** Revokes every token whose uses are limited, also in a backup of before there were such tokens: it has none. Answers how many. */
export async function revokeLimitedTokens(tx: Tx, revokeTime: Date): Promise<number> {
  const { rows } = await sql<{ isThere: boolean }>`
    select exists (select from pg_attribute where attrelid = 'exchange.access_token'::regclass and attname = 'use_limit') as is_there
  `.execute(tx)
  if (rows[0]?.isThere !== true) return 0
  const update = tx.updateTable('accessToken').set({ revokeTime }).where('useLimit', 'is not', null).where('revokeTime', 'is', null)
  const { numUpdatedRows } = await update.where('expireTime', '>', revokeTime).executeTakeFirst()
  return Number(numUpdatedRows)
}

export async function revokeToken(tx: Tx, { organizationId, id }: Key, revokeTime: Date): Promise<void> {
  await tx.updateTable('accessToken').set({ revokeTime }).where('organizationId', '=', organizationId).where('id', '=', id).execute()
}
