import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { constraintOf } from '#libs/postgres/errors.js'
import type { Principal } from '../domain/principal.js'
import { principalNameTaken, principalNotFound } from '../domain/refusals.js'
import type { Db, Tx } from './schema.js'

type Key = { readonly organizationId: string; readonly id: string }
type Name = { readonly organizationId: string; readonly name: string }

export async function insertPrincipal(tx: Tx, principal: Principal): Promise<void> {
  await tx.insertInto('principal').values(principal).execute().catch((error: unknown) => {
    throw constraintOf(error) === 'principal_name_is_unique' ? principalNameTaken(principal.name) : error
  })
}

/** Up to `size + 1` principals in order of creation, those after `after`; of one identity, where one is given. */
export function listPrincipals(db: Db, organizationId: string, page: { identityId: string | undefined; size: number; after: string | undefined }): Promise<Principal[]> {
  let query = db.selectFrom('principal').selectAll().where('organizationId', '=', organizationId)
  if (page.identityId !== undefined) query = query.where('identityId', '=', page.identityId)
  if (page.after !== undefined) query = query.where('id', '>', page.after)
  return query.orderBy('id').limit(page.size + 1).execute()
}

/** Deletes a principal and answers what it was. */
export async function deletePrincipal(tx: Tx, { organizationId, id }: Key): Promise<Principal> {
  const query = tx.deleteFrom('principal').where('organizationId', '=', organizationId).where('id', '=', id)
  const row = await query.returningAll().executeTakeFirst()
  if (!row) throw principalNotFound(id)
  return row
}

/** Deletes every principal of everybody, also from a backup that is older than the table: it has none. */
export async function deletePrincipals(tx: Tx): Promise<Principal[]> {
  const { rows } = await sql<{ isThere: boolean }>`select to_regclass('exchange.principal') is not null as is_there`.execute(tx)
  return rows[0]?.isThere ? tx.deleteFrom('principal').returningAll().execute() : []
}

/** Whose principal a name is, if anybody's, with where the feed stood, by one statement. */
export async function findPrincipal(db: Db, { organizationId, name }: Name): Promise<{ readonly found: Pick<Principal, 'id' | 'identityId'> | undefined; readonly stamp: Stamp }> {
  const { rows } = await sql<{ epoch: string; seq: string; id: string | null; identityId: string | null }>`
    select ${feedEpoch('exchange')} as epoch, ${feedSeq('exchange')} as seq, p.id, p.identity_id
    from (values (1)) as always left join exchange.principal p on p.organization_id = ${organizationId} and p.name = ${name}
  `.execute(db)
  const [row] = rows
  if (!row) throw new Error('a statement that always has a row had none')
  const { epoch, seq, id, identityId } = row
  return { found: id === null || identityId === null ? undefined : { id, identityId }, stamp: { epoch, seq: Number(seq) } }
}
