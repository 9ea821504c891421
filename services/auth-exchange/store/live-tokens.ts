import type { Counted, NamedToken } from '../domain/access-token.js'
import type { Db } from './schema.js'
import { hasUsesLeft, restsOnWhatItDid } from './standing.js'

/** Tokens of an organization, or of one identity, from the newest on, or from the one before `before` on. */
type Scan = { readonly organizationId: string; readonly identityId: string | undefined; readonly before: string | undefined }

/** Among how many tokens one page looks for live ones: an organization has many more that are over. */
const SCANNED = 5_000

/** Where the scan of one page ends, if there are more tokens behind it. */
export async function findScanEnd(db: Db, { organizationId, identityId, before }: Scan): Promise<string | undefined> {
  let query = db.selectFrom('accessToken').select('id').where('organizationId', '=', organizationId)
  if (identityId !== undefined) query = query.where('identityId', '=', identityId)
  if (before !== undefined) query = query.where('id', '<', before)
  const row = await query.orderBy('id', 'desc').offset(SCANNED - 1).limit(1).executeTakeFirst()
  return row?.id
}

type LiveScan = Scan & { readonly end: string | undefined; readonly size: number; readonly now: Date }

/** Up to `size + 1` lineages whose newest token is good, if its identity is; newest first. */
export function listLiveTokens(db: Db, { organizationId, identityId, before, end, size, now }: LiveScan): Promise<(NamedToken & Counted)[]> {
  let query = db
    .selectFrom('accessToken as t')
    .selectAll('t')
    .where('t.organizationId', '=', organizationId).where('t.revokeTime', 'is', null).where('t.expireTime', '>', now)
    .where(hasUsesLeft).where(restsOnWhatItDid)
  if (identityId !== undefined) query = query.where('t.identityId', '=', identityId)
  if (before !== undefined) query = query.where('t.id', '<', before)
  if (end !== undefined) query = query.where('t.id', '>=', end)
  return query.orderBy('t.id', 'desc').limit(size + 1).execute()
}
