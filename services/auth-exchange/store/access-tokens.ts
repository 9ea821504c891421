import type { AccessTokenRecord } from '../domain/access-token.js'
import type { Db, Tx } from './schema.js'

type Key = { readonly organizationId: string; readonly id: string }

/** The record of a token that is good at this moment: not revoked, not expired, its secret and method not voided since. */
export async function findLiveToken(db: Db, { organizationId, id }: Key, now: Date): Promise<AccessTokenRecord | undefined> {
  return db
    .selectFrom('accessToken as t')
    .innerJoin('clientSecret as s', (on) =>
      on.onRef('s.organizationId', '=', 't.organizationId').onRef('s.id', '=', 't.credentialId').onRef('s.epoch', '=', 't.credentialEpoch'))
    .innerJoin('universalAuth as m', (on) =>
      on.onRef('m.organizationId', '=', 't.organizationId').onRef('m.identityId', '=', 't.identityId').onRef('m.epoch', '=', 't.methodEpoch'))
    .selectAll('t')
    .where('t.organizationId', '=', organizationId).where('t.id', '=', id)
    .where('t.revokeTime', 'is', null).where('t.expireTime', '>', now)
    .executeTakeFirst()
}

export async function lockToken(tx: Tx, { organizationId, id }: Key): Promise<AccessTokenRecord | undefined> {
  const query = tx.selectFrom('accessToken').selectAll().where('organizationId', '=', organizationId).where('id', '=', id)
  return query.forUpdate().executeTakeFirst()
}

export async function revokeToken(tx: Tx, { organizationId, id }: Key, revokeTime: Date): Promise<void> {
  await tx.updateTable('accessToken').set({ revokeTime }).where('organizationId', '=', organizationId).where('id', '=', id).execute()
}
