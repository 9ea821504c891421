import { setImmediate as turn } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.js'
import { createIds } from '#libs/ids.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { findTokens } from '../../services/auth-exchange/store/access-tokens.js'
import { type Renewal, recordRenewals, renewalLedger } from '../../services/auth-exchange/store/renewals.js'
import type { ExchangeSchema } from '../../services/auth-exchange/store/schema.js'
import { freshNames, makeWorkload } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { exchangeDatabase } from '../support/exchange-database.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session
let db: Kysely<ExchangeSchema>
const ids = createIds(systemClock)
const next = freshNames('workload')
const LATER = Infinity

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  db = exchangeDatabase(system)
})
afterAll(async () => {
  await db.destroy()
  await system.close()
})

const run = (text: string, values: readonly unknown[]) => withClient(system.databases.superuserUrl, (client) => client.query<Record<string, unknown>>(text, [...values]))

type Lineage = { readonly tokenId: string; readonly secretId: string; readonly end: Date; readonly renewal: (bySeconds?: number) => Renewal }

/** A lineage with what would renew it, to an end that is so much later. */
async function lineage(): Promise<Lineage> {
  const workload = await makeWorkload(admin, { name: next() })
  const { accessToken, tokenId } = await system.login(workload)
  const organizationId = String(decodeJwt(accessToken).org)
  const [standing] = await findTokens(db, [{ organizationId, id: tokenId, kid: '' }])
  if (!standing) throw new Error('the token is not there')
  const { record } = standing
  const renewal = (bySeconds = 1): Renewal => {
    const now = system.clock.now()
    const token = { ...record, expireTime: new Date(record.expireTime.getTime() + bySeconds * SECOND), renewTime: now }
    return { token, auditEventId: ids.next(), requestId: 'batch', now }
  }
  return { tokenId, secretId: workload.secretId, end: record.expireTime, renewal }
}

/** By how many seconds it ends later than at its login. */
async function renewedBy({ tokenId, end }: Lineage): Promise<number> {
  const { rows: [row] } = await run('select extract(epoch from expire_time - $2::timestamptz)::integer as seconds from exchange.access_token where id = $1', [tokenId, end])
  return Number(row?.seconds)
}

/** Which of them have an event on record. */
const audited = async (renewals: readonly Renewal[]): Promise<boolean[]> => {
  const { rows } = await run('select id from exchange.audit_event where id = any($1)', [renewals.map(({ auditEventId }) => auditEventId)])
  const found = new Set(rows.map(({ id }) => id))
  return renewals.map(({ auditEventId }) => found.has(auditEventId))
}

const times = <T>(count: number, make: (place: number) => T): T[] => Array.from({ length: count }, (_each, place) => make(place))

describe('a batch of renewals', () => {
  // Each seen to fail with its condition taken out of the statement.
  it('refuses those whose lineage is no more what it was, writes nothing of them, and renews all others', async () => {
    const [good, other, revoked, ended, spent, voided] = [await lineage(), await lineage(), await lineage(), await lineage(), await lineage(), await lineage()]
    await run('update exchange.access_token set revoke_time = now() where id = $1', [revoked.tokenId])
    await run("update exchange.access_token set expire_time = '2020-01-01' where id = $1", [ended.tokenId])
    await run('update exchange.access_token set use_limit = 2, uses = 2 where id = $1', [spent.tokenId])
    await run('update exchange.client_secret set epoch = gen_random_uuid() where id = $1', [voided.secretId])
    const renewals = [voided, good, revoked, ended, other, spent].map(({ renewal }) => renewal())
    const expected = [false, true, false, false, true, false]
    expect(await recordRenewals(db, renewals)).toEqual(expected)
    expect(await audited(renewals)).toEqual(expected)
    expect([await renewedBy(good), await renewedBy(other), await renewedBy(revoked), await renewedBy(voided)]).toEqual([1, 1, 0, 0])
  })

  // An UPDATE changes a row once, however many rows are joined to it. Seen to fail with each of them joined to the lineage.
  it('leaves a lineage with the latest end of those that were asked for, and answers all of them', async () => {
    const one = await lineage()
    const renewals = [5, 30, 10].map((seconds) => one.renewal(seconds))
    expect(await recordRenewals(db, renewals)).toEqual([true, true, true])
    expect(await audited(renewals)).toEqual([true, true, true])
    expect(await renewedBy(one)).toBe(30)
    expect(await recordRenewals(db, [one.renewal(20)])).toEqual([true])
    expect(await renewedBy(one)).toBe(30)
  })

  // Two batches that lock the same rows in opposite order wait for each other. Seen to fail where rows are not locked before they
  // are changed; grouped as they are, they would come in one order without being told to.
  it('never waits for another that has the same lineages in another order', async () => {
    const lineages = await Promise.all(times(8, lineage))
    const forth = () => lineages.map(({ renewal }) => renewal())
    const outcomes = await Promise.all(times(100, () => [recordRenewals(db, forth()), recordRenewals(db, forth().reverse())]).flat())
    expect(outcomes.flat().every(Boolean)).toBe(true)
  })
})

describe('the ledger of renewals', () => {
  it('commits one that is alone at once, and those that come meanwhile together', async () => {
    const lineages = await Promise.all(times(20, lineage))
    const renewals = lineages.map(({ renewal }) => renewal())
    const ledger = renewalLedger(db)
    const [first, ...others] = renewals.map((renewal) => () => ledger.record(renewal, LATER))
    const alone = first?.()
    await turn()
    expect(await Promise.all([alone, ...others.map((record) => record())])).toEqual(times(20, () => true))
    const { rows } = await run('select distinct xmin::text as at from exchange.access_token where id = any($1)', [lineages.map(({ tokenId }) => tokenId)])
    expect(rows).toHaveLength(2)
  })
})
