import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { type AccessTokenRecord, type SignedClaims, standsBehind } from '../domain/access-token.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { Db, Tx } from './schema.js'
import { isKeyThere, signingKid } from './signing-keys.js'

type Key = { readonly organizationId: string; readonly id: string }

export type TokenStanding = {
  readonly record: AccessTokenRecord
  /** The token was revoked, or all of its secret, method, identity or organization: it will never be good again. */
  readonly revoked: boolean
  /** The key that signed the token is still one of ours. */
  readonly isKeyThere: boolean
  /** The key that signs. */
  readonly signingKid: string | null
  readonly stamp: Stamp
}

/** The record of a token and whether it still stands, with where the feed and the signing keys stood, by one statement. */
export async function findToken(db: Db, { organizationId, id }: Key, kid: string): Promise<TokenStanding | undefined> {
  const row = await db
    .selectFrom('accessToken as t')
    .leftJoin('clientSecret as s', (on) =>
      on.onRef('s.organizationId', '=', 't.organizationId').onRef('s.id', '=', 't.credentialId').onRef('s.epoch', '=', 't.credentialEpoch'))
    .leftJoin('universalAuth as m', (on) =>
      on.onRef('m.organizationId', '=', 't.organizationId').onRef('m.identityId', '=', 't.identityId').onRef('m.epoch', '=', 't.methodEpoch'))
    .leftJoin('identityEpoch as i', (on) => on.onRef('i.organizationId', '=', 't.organizationId').onRef('i.identityId', '=', 't.identityId'))
    .leftJoin('organizationEpoch as o', 'o.organizationId', 't.organizationId')
    .selectAll('t')
    .select(['s.epoch as liveSecretEpoch', 'm.epoch as liveMethodEpoch', 'i.epoch as liveIdentityEpoch', 'o.epoch as liveOrganizationEpoch'])
    .select([feedEpoch('exchange').as('feedEpoch'), feedSeq('exchange').as('feedSeq'), isKeyThere(kid).as('isKeyThere'), signingKid.as('signingKid')])
    .where('t.organizationId', '=', organizationId).where('t.id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { liveSecretEpoch, liveMethodEpoch, liveIdentityEpoch, liveOrganizationEpoch, feedEpoch: epoch, feedSeq: seq, isKeyThere: isThere, signingKid: signing, ...record } = row
  const voided = liveSecretEpoch === null || liveMethodEpoch === null || liveIdentityEpoch !== record.identityEpoch || liveOrganizationEpoch !== record.organizationEpoch
  const revoked = record.revokeTime !== null || voided
  return { record, revoked, isKeyThere: isThere, signingKid: signing, stamp: { epoch, seq: Number(seq) } }
}

/** The standing of the token that claims this; refused where its record says anything else, or its key is gone. */
export async function getStanding(db: Db, { claims, kid }: SignedClaims): Promise<TokenStanding> {
  const standing = await findToken(db, { organizationId: claims.org, id: claims.jti }, kid)
  // The keys in memory may be older than the snapshot, and what is answered from it is kept as being of it.
  if (!standing?.isKeyThere || !standsBehind(standing.record, claims)) throw accessTokenRejected()
  return standing
}

export async function lockToken(tx: Tx, { organizationId, id }: Key): Promise<AccessTokenRecord | undefined> {
  const query = tx.selectFrom('accessToken').selectAll().where('organizationId', '=', organizationId).where('id', '=', id)
  return query.forUpdate().executeTakeFirst()
}

export async function revokeToken(tx: Tx, { organizationId, id }: Key, revokeTime: Date): Promise<void> {
  await tx.updateTable('accessToken').set({ revokeTime }).where('organizationId', '=', organizationId).where('id', '=', id).execute()
}
