import { sql } from 'kysely'
import type { Claims } from '../domain/access-token.js'
import type { Db } from './schema.js'
import { hasUsesLeft, restsOnWhatItDid, trustedIpsNow } from './standing.js'

/** A use of the token that claims this, from an address where that is known. */
export type Use = { readonly claims: Claims; readonly sourceAddress: string | undefined; readonly now: Date }

/** `elsewhere`: the token is good, and may not be used from there. */
export type Counted = 'counted' | 'rejected' | 'elsewhere'

/**
 * Counts one use, by one statement, which is one transaction: durable when this returns `counted`. Otherwise nothing was
 * written. Whatever makes a token good for a use is part of the statement that counts, so that no number of concurrent uses is
 * one too many: whoever waited for the row judges its new version. No answer that was given before is changed by it, so
 * nothing of it is in the feed.
 */
export async function consumeUse(db: Db, { claims, sourceAddress, now }: Use): Promise<Counted> {
  const isGood = goodForUse(claims, now)
  const isTrusted = trustedFrom(sourceAddress)
  const { rows } = await sql<{ counted: boolean; elsewhere: boolean }>`
    with used as (
      update exchange.access_token t set uses = t.uses + 1, last_used_time = ${now}
      where ${isGood} and ${isTrusted}
      returning t.id
    )
    select exists (select from used) as counted, exists (select from exchange.access_token t where ${isGood} and not ${isTrusted}) as elsewhere
  `.execute(db)
  const [row] = rows
  if (row?.counted === true) return 'counted'
  return row?.elsewhere === true ? 'elsewhere' : 'rejected'
}

const goodForUse = ({ jti, sub, org, sid, exp }: Claims, now: Date) => sql<boolean>`(
  t.organization_id = ${org} and t.id = ${jti} and t.identity_id = ${sub} and t.credential_id = ${sid}
  and ${new Date(exp * 1000)}::timestamptz > ${now} and t.expire_time >= ${new Date(exp * 1000)} and t.revoke_time is null
  and ${hasUsesLeft} and ${restsOnWhatItDid}
)`

const trustedFrom = (address: string | undefined) => sql<boolean>`(
  ${trustedIpsNow} @> array['0.0.0.0/0', '::/0']
  or exists (select from unnest(${trustedIpsNow}) as c (trusted) where ${address ?? null}::inet <<= c.trusted::cidr)
)`
