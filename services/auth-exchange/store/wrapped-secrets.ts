import { sql } from 'kysely'
import type { WrappedSecret } from '../domain/wrapping.js'
import type { Db, Tx } from './schema.js'

type Key = Pick<WrappedSecret, 'organizationId' | 'clientSecretId'>

export async function insertWrappedSecret(tx: Tx, wrapped: WrappedSecret): Promise<void> {
  await tx.insertInto('wrappedSecret').values(wrapped).execute()
}

/** What is behind a wrapping token, with the client id that the secret logs in with; whoever else shows the token waits. */
export function lockWrappedSecret(tx: Tx, digest: Buffer): Promise<(WrappedSecret & { readonly clientId: string; readonly revokeTime: Date | null }) | undefined> {
  return tx
    .selectFrom('wrappedSecret as w')
    .innerJoin('clientSecret as s', (on) => on.onRef('s.organizationId', '=', 'w.organizationId').onRef('s.id', '=', 'w.clientSecretId'))
    .innerJoin('universalAuth as m', (on) => on.onRef('m.organizationId', '=', 's.organizationId').onRef('m.identityId', '=', 's.identityId'))
    .selectAll('w').select(['s.revokeTime', 'm.clientId'])
    .where('w.digest', '=', digest)
    .forUpdate('w').executeTakeFirst()
}

/** Erases what was handed over. */
export async function eraseWrappedSecret(tx: Tx, { organizationId, clientSecretId }: Key, unwrapTime: Date): Promise<void> {
  await tx
    .updateTable('wrappedSecret').set({ sealedSecret: null, unwrapTime })
    .where('organizationId', '=', organizationId).where('clientSecretId', '=', clientSecretId).execute()
}

/** Erases what nobody has unwrapped yet, whosever it is, also from a backup that is older than the table: it has nothing. */
export async function eraseWrappedSecrets(tx: Tx): Promise<Key[]> {
  const { rows } = await sql<{ isThere: boolean }>`select to_regclass('exchange.wrapped_secret') is not null as is_there`.execute(tx)
  if (!rows[0]?.isThere) return []
  const update = tx.updateTable('wrappedSecret').set({ sealedSecret: null }).where('sealedSecret', 'is not', null)
  return update.returning(['organizationId', 'clientSecretId']).execute()
}

export async function countRefusal(tx: Tx, { organizationId, clientSecretId }: Key): Promise<void> {
  await tx
    .updateTable('wrappedSecret').set((eb) => ({ refusals: eb('refusals', '+', 1) }))
    .where('organizationId', '=', organizationId).where('clientSecretId', '=', clientSecretId).execute()
}

/** Deletes up to `size` that expired before, whoever else does so at the same time, and says how many. */
export async function deleteWrappedSecrets(db: Db, expiredBefore: Date, size: number): Promise<number> {
  const { rows } = await sql<{ deleted: string }>`
    with over as (
      select organization_id, client_secret_id from exchange.wrapped_secret
      where expire_time < ${expiredBefore} order by expire_time limit ${size} for update skip locked
    ), deleted as (
      delete from exchange.wrapped_secret w using over o
      where w.organization_id = o.organization_id and w.client_secret_id = o.client_secret_id
      returning 1
    )
    select count(*) as deleted from deleted
  `.execute(db)
  return Number(rows[0]?.deleted)
}
