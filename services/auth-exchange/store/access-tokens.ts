import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { inBatches } from '#libs/batches.js'
import { type AccessTokenRecord, type Counted, isSpent, type NamedToken, type SignedClaims, standsBehind } from '../domain/access-token.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { Db, Tx } from './schema.js'
import { isKeyThere, signingKid } from './signing-keys.js'
import { restsOnWhatItDid, trustedIpsNow } from './standing.js'

type Key = { readonly organizationId: string; readonly id: string }

export type TokenStanding = {
  readonly record: AccessTokenRecord & Counted
  /** The token was revoked, or all of its secret, method, identity or organization, or its uses are spent: it will never be good again. */
  readonly revoked: boolean
  /** The key that signed the token is still one of ours. */
  readonly isKeyThere: boolean
  /** The key that signs. */
  readonly signingKid: string | null
  /** From where the tokens of its method may be used. */
  readonly trustedIps: readonly string[]
  readonly stamp: Stamp
}

/** Which token is meant, and the key that signed it. */
export type AskedToken = { readonly organizationId: string; readonly id: string; readonly kid: string }

/**
 * The record of each token and whether it still stands, with where the feed and the signing keys stood, by one statement; null
 * where there is none. One that is asked for several times is looked for once.
 */
export async function findTokens(db: Db, asked: readonly AskedToken[]): Promise<(TokenStanding | null)[]> {
  const wanted = new Map(asked.map((each) => [keyOf(each), each]))
  const { rows } = await sql<FoundToken>`
    select t.*, a.key, ${restsOnWhatItDid} as rests, ${trustedIpsNow} as trusted_ips, (select ${feedEpoch('exchange')}) as feed_epoch, ${feedSeq('exchange')} as feed_seq,
           ${isKeyThere(sql`a.kid`)} as is_key_there, ${signingKid} as signing_kid
    from json_to_recordset(${JSON.stringify([...wanted].map(([key, each]) => ({ ...each, key })))}::json) as a(key text, "organizationId" uuid, id uuid, kid text)
    join exchange.access_token t on t.organization_id = a."organizationId" and t.id = a.id
  `.execute(db)
  const found = new Map(rows.map(({ key, rests, trustedIps, feedEpoch: epoch, feedSeq: seq, isKeyThere: isThere, signingKid: signing, ...record }) => {
    const revoked = record.revokeTime !== null || !rests || isSpent(record)
    return [key, { record, revoked, isKeyThere: isThere, signingKid: signing, trustedIps, stamp: { epoch, seq: Number(seq) } }]
  }))
  return asked.map((each) => found.get(keyOf(each)) ?? null)
}

const keyOf = ({ organizationId, id, kid }: AskedToken): string => [organizationId, id, kid].join()

type FoundToken = AccessTokenRecord & Counted & Pick<TokenStanding, 'isKeyThere' | 'signingKid' | 'trustedIps'> & {
  readonly key: string
  readonly rests: boolean
  readonly feedEpoch: string
  readonly feedSeq: string
}

/** Beyond that a statement is so long that the next one is better begun. */
const MOST_AT_ONCE = 100

/** The standing of a token that claims this; refused where its record says anything else, or its key is gone. */
export type Standings = { of(signed: SignedClaims): Promise<TokenStanding> }

/** Tokens that are asked for while others are being looked for are found together, by a statement that is sent after they were asked for. */
export function standingsIn(db: Db): Standings {
  const find = inBatches(MOST_AT_ONCE, (asked: readonly AskedToken[]) => findTokens(db, asked))
  return {
    of: async ({ claims, kid }) => {
      const standing = await find({ organizationId: claims.org, id: claims.jti, kid })
      // The keys in memory may be older than the snapshot, and what is answered from it is kept as being of it.
      if (!standing?.isKeyThere || !standsBehind(standing.record, claims)) throw accessTokenRejected()
      return standing
    },
  }
}

export async function lockToken(tx: Tx, { organizationId, id }: Key): Promise<(NamedToken & Counted) | undefined> {
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

export async function renameToken(tx: Tx, { organizationId, id }: Key, name: string): Promise<void> {
  await tx.updateTable('accessToken').set({ name }).where('organizationId', '=', organizationId).where('id', '=', id).execute()
}
