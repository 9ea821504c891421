import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { monotonicMillis, systemClock } from '#libs/clock.js'
import { changeFeed } from '#libs/freshness/append.js'
import type { FeedName } from '#libs/freshness/entities.js'
import { pruneFeed, readFeed, setBound } from '#libs/freshness/serve.js'
import { ChangeWindow } from '#libs/freshness/stamp.js'
import { createIds } from '#libs/ids.js'
import { createLog } from '#libs/log.js'
import { connectDatabase } from '#libs/postgres/database.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'

const ORGANIZATION = '01900000-0000-7000-8000-000000000000'

let databases: FreshDatabase
let registry: Kysely<unknown>
let exchange: Kysely<unknown>
const ids = createIds(systemClock)

const connect = (schema: FeedName, url: string): Kysely<unknown> => connectDatabase({ url, schema, log: createLog({ service: 'test', level: 'silent' }), poolSize: 2, prepare: true })

beforeAll(async () => {
  databases = await freshDatabase()
  registry = connect('registry', databases.registryUrl)
  exchange = connect('exchange', databases.exchangeUrl)
})
afterAll(async () => {
  await registry.destroy()
  await exchange.destroy()
  await databases.drop()
})

const run = (text: string) => withClient(databases.superuserUrl, (client) => client.query(text))
const pullAfter = (after: number, db = registry) => readFeed(db, 'registry', { after, clock: undefined })
const feed = () => changeFeed({ name: 'registry', db: registry, ids, hint: () => undefined })

/** Commits so many changes; answers where the feed stood before. */
async function commits(count: number): Promise<number> {
  const { head } = await pullAfter(0)
  for (let at = 0; at < count; at += 1) await feed().commit(monotonicMillis() + 10_000, async (_tx, changed) => changed(ORGANIZATION, `role/${at}`))
  return head
}

/** Whether a replica that had pulled up to `after` goes on with what it is answered. */
async function goesOn(after: number): Promise<boolean> {
  const { epoch, head, changes } = await pullAfter(after)
  const window = new ChangeWindow()
  window.apply(window.position, { epoch, head: after, changes: [] })
  return window.apply(window.position, { epoch, head, changes })
}

describe('the epoch of a feed', () => {
  const epochOf = async (name: FeedName, db: Kysely<unknown>) => (await readFeed(db, name, { after: 0, clock: undefined })).epoch

  it('is the same over sessions, as a revision has it', async () => {
    const other = connect('registry', databases.registryUrl)
    const epoch = await epochOf('registry', registry)
    expect(epoch).toMatch(/^[0-9a-f]{16}$/)
    expect(await epochOf('registry', other)).toBe(epoch)
    await other.destroy()
  })

  it('is another one for each feed', async () => {
    expect(await epochOf('registry', registry)).not.toBe(await epochOf('exchange', exchange))
  })

  // Whoever restores a backup says so. Seen to fail with the setting left out of the epoch.
  it('is another one after a restore, also in a session that knew the earlier one', async () => {
    const before = await epochOf('registry', registry)
    await run('update registry.feed_setting set epoch = gen_random_uuid()')
    const after = await epochOf('registry', registry)
    expect(after).not.toBe(before)
    expect(await epochOf('registry', registry)).toBe(after)
  })

  // Seen to fail with the oid of the table left out of the epoch.
  it('is another one where the table is another one', async () => {
    const before = await epochOf('registry', registry)
    await run(`
      alter table registry.feed_change rename to feed_change_of_before;
      create table registry.feed_change (like registry.feed_change_of_before including all);
      alter table registry.feed_change owner to registry`)
    expect(await epochOf('registry', registry)).not.toBe(before)
    await run('drop table registry.feed_change; alter table registry.feed_change_of_before rename to feed_change')
    expect(await epochOf('registry', registry)).toBe(before)
  })
})

describe('a pull', () => {
  it('brings every change after the asked one, in order, with what each of them names', async () => {
    const before = await commits(3)
    const { head, changes } = await pullAfter(before + 1)
    expect(head).toBe(before + 3)
    expect(changes).toEqual([2, 3].map((at) => ({ seq: before + at, organizationId: ORGANIZATION, entities: [`role/${at - 1}`] })))
    expect((await pullAfter(head)).changes).toEqual([])
  })

  // Seen to fail with changes that are gone passed over in silence.
  it('of a replica that was away for longer than changes are kept tells it so by what is missing', async () => {
    const before = await commits(4)
    await run(`update registry.feed_change set commit_time = commit_time - interval '16 minutes' where seq <= ${before + 2}`)
    expect(await goesOn(before)).toBe(true)
    await pruneFeed(registry, 'registry', 15)
    expect(await Promise.all([before, before + 1, before + 2, before + 4].map(goesOn))).toEqual([false, false, true, true])
  })

  it('of a replica that is up to date goes on though everything was pruned', async () => {
    const { head } = await pullAfter(0)
    await run("update registry.feed_change set commit_time = commit_time - interval '16 minutes'")
    await pruneFeed(registry, 'registry', 15)
    expect(await goesOn(head)).toBe(true)
    expect(await goesOn(await commits(1))).toBe(true)
  })

  it('of a replica that is further behind than five thousand changes makes it start over', async () => {
    const { head } = await pullAfter(0)
    await run(`
      begin;
      set local session_replication_role = replica;
      insert into registry.feed_change (id, shard, seq, commit_time, organization_id, entities)
        select gen_random_uuid(), 0, ${head} + n, clock_timestamp(), '${ORGANIZATION}', '{}' from generate_series(1, 5001) n;
      update registry.feed_head set seq = seq + 5001;
      commit`)
    expect((await pullAfter(head)).changes).toHaveLength(5_000)
    expect([await goesOn(head), await goesOn(head + 1)]).toEqual([false, true])
  })

  it('says that a commit survives nothing where the server does not wait for its disk', async () => {
    expect((await sql<{ fsync: string }>`select current_setting('fsync') as fsync`.execute(registry)).rows).toEqual([{ fsync: 'off' }])
    expect((await pullAfter(0)).promised.durability).toBe('none')
  })
})

describe('the bound', () => {
  const bounds = async () => {
    const { boundMillis, promised } = await pullAfter(0)
    return [boundMillis, promised.keptBoundMillis]
  }
  /** In place of waiting for it. */
  const passes = (millis: number) => run(`update registry.feed_setting set bound_change_time = bound_change_time - interval '${millis} milliseconds'`)

  // Replicas that pulled before go by the earlier bound until it has passed. Seen to fail with the new one kept at once.
  it('counts at once where it is raised, and where it is lowered only after the earlier one has passed', async () => {
    expect(await bounds()).toEqual([250, 250])
    await setBound(registry, 'registry', 60_000)
    expect(await bounds()).toEqual([60_000, 60_000])
    await setBound(registry, 'registry', 250)
    expect(await bounds()).toEqual([250, 60_000])
    await passes(60_000)
    expect(await bounds()).toEqual([250, 250])
  })

  // Seen to fail with the bound of just before taken for the earlier one.
  it('is kept as long as any that still counts, however often it is lowered', async () => {
    await setBound(registry, 'registry', 60_000)
    await setBound(registry, 'registry', 30_000)
    await setBound(registry, 'registry', 100)
    expect(await bounds()).toEqual([100, 60_000])
    await passes(60_000)
    expect(await bounds()).toEqual([100, 100])
  })

  it('that is set again is no change, and so keeps nothing longer', async () => {
    await setBound(registry, 'registry', 60_000)
    await setBound(registry, 'registry', 100)
    await passes(59_000)
    await setBound(registry, 'registry', 100)
    expect(await bounds()).toEqual([100, 60_000])
    await passes(1_000)
    expect(await bounds()).toEqual([100, 100])
  })
})
