import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { monotonicMillis, systemClock } from '#libs/clock.js'
import { type ChangeFeed, changeFeed } from '#libs/freshness/append.js'
import { type Answer, pruneFeed, readFeed, setBound } from '#libs/freshness/serve.js'
import { createIds } from '#libs/ids.js'
import { createLog } from '#libs/log.js'
import { connectDatabase } from '#libs/postgres/database.js'
import { withClient } from '../../deploy/local/service-databases.js'
import type { RegistrySchema } from '../../services/identity-registry/store/schema.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'

// What the database alone holds: a change's number is taken at COMMIT, in the order of commits, without a gap.

const ORGANIZATION = '01900000-0000-7000-8000-0000000000aa'
const ids = createIds(systemClock)

let database: FreshDatabase
let db: Kysely<RegistrySchema>
let feed: ChangeFeed<RegistrySchema>

beforeAll(async () => {
  database = await freshDatabase()
  db = connectDatabase<RegistrySchema>({ url: database.registryUrl, schema: 'registry', log: createLog({ service: 'test', level: 'silent' }), poolSize: 10, prepare: true })
  feed = changeFeed({ name: 'registry', db, ids, hint: () => undefined })
  await run(`insert into registry.organization values ('${ORGANIZATION}', 'one', now(), now(), gen_random_uuid())`)
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const run = (sql: string) => withClient(database.superuserUrl, (client) => client.query(sql))
const read = (after = 0): Promise<Answer> => readFeed(db, 'registry', { after, clock: undefined })
const headNow = async () => (await read()).head
const soon = () => monotonicMillis() + 10_000
const seqOf = (revision: string) => Number(revision.split('.')[3])

/** Changes nothing but the feed. */
const append = (name: string) => feed.commit(soon(), async (_tx, changed) => changed(ORGANIZATION, [name]))

class Undone extends Error {}

const appendAndUndo = (name: string) =>
  feed
    .commit(soon(), async (tx, changed) => {
      changed(ORGANIZATION, [name])
      await tx.updateTable('organization').set({ name }).where('id', '=', ORGANIZATION).execute()
      throw new Undone()
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error
    })

describe('numbers', () => {
  it('come in the order of commits, and a reader that follows the head misses none', async () => {
    const start = await headNow()
    const heard: string[] = []
    let after = start
    const writing = { isOver: false }
    const reader = (async () => {
      while (!writing.isOver || after < (await headNow())) {
        const { head, changes } = await read(after)
        expect(changes.map(({ seq }) => seq)).toEqual(Array.from({ length: head - after }, (_one, place) => after + place + 1))
        heard.push(...changes.flatMap(({ entities }) => entities))
        after = head
      }
    })()
    const acknowledged = new Map<string, number>()
    const writer = async (number: number) => {
      for (let count = 0; count < 50; count += 1) {
        const name = `writer-${number}/${count}`
        if (count % 5 === 4) await appendAndUndo(name)
        else acknowledged.set(name, seqOf((await append(name)).revision))
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_one, number) => writer(number)))
    writing.isOver = true
    await reader
    expect(heard.toSorted()).toEqual([...acknowledged.keys()].toSorted())
    // Without a gap: what was undone burnt none.
    expect([...acknowledged.values()].toSorted((one, other) => one - other)).toEqual(heard.map((_name, place) => start + place + 1))
    expect(heard.map((name) => acknowledged.get(name))).toEqual(heard.map((_name, place) => start + place + 1))
  })

  // Seen to fail with the trigger not deferred: whoever takes a number when it writes keeps all others waiting.
  it('are not held up by an open transaction, which gets its own when it commits', async () => {
    const start = await headNow()
    await heldTransaction(database.superuserUrl, async (held) => {
      await held.run("insert into registry.feed_change (id, shard, organization_id, entities) values (gen_random_uuid(), 0, $1, '{early}')", [ORGANIZATION])
      expect(seqOf((await append('late')).revision)).toBe(start + 1)
      await held.commit()
    })
    expect((await read(start)).changes.map(({ entities }) => entities)).toEqual([['late'], ['early']])
  })

  it('of a call that changed nothing are those of the head', async () => {
    const { revision } = await feed.commit(soon(), () => Promise.resolve())
    expect(seqOf(revision)).toBe(await headNow())
  })
})

describe('a commit that meets others', () => {
  const raising = async (code: string, times: number) => {
    await run(`
      create sequence if not exists public.trouble; select setval('public.trouble', 1, false); grant usage on schema public to registry; grant all on sequence public.trouble to registry;
      create or replace function public.at_commit() returns trigger language plpgsql as $$ begin
        if nextval('public.trouble') <= ${times} then raise exception 'trouble' using errcode = '${code}'; end if; return null; end $$;
      drop trigger if exists trouble on registry.feed_change;
      create constraint trigger trouble after insert on registry.feed_change deferrable initially deferred for each row execute function public.at_commit()`)
  }
  const calm = () => run('drop trigger if exists trouble on registry.feed_change')

  it.each(['40001', '40P01', '55P03'])('at COMMIT, with %s, repeats all of its work', async (code) => {
    const start = await headNow()
    await raising(code, 3)
    let times = 0
    const { revision } = await feed.commit(soon(), async (_tx, changed) => {
      times += 1
      changed(ORGANIZATION, [code])
    })
    await calm()
    expect([times, seqOf(revision)]).toEqual([4, start + 1])
  })

  it('is ABORTED after five attempts, and burns no number', async () => {
    const start = await headNow()
    await raising('55P03', 100)
    await expect(append('never')).rejects.toMatchObject({ kind: 'ABORTED', reason: 'CONTENTION' })
    await calm()
    expect(await headNow()).toBe(start)
  })

  it('waits for the head only at its end, so that no two wait for each other', async () => {
    const start = await headNow()
    const both = ['a', 'b'].map((first) =>
      feed.commit(soon(), async (_tx, changed) => {
        changed(ORGANIZATION, [first, 'shared'])
        await Promise.all(Array.from({ length: 3 }, (_one, count) => append(`${first}/${count}`)))
      }),
    )
    await Promise.all(both)
    expect(await headNow()).toBe(start + 8)
  })
})

describe('nothing else', () => {
  const deferred = async () => {
    const { rows } = await run(`
      select n.nspname || '.' || c.conname as name from pg_constraint c join pg_namespace n on n.oid = c.connamespace where c.condeferrable and n.nspname in ('registry', 'exchange')
      union select n.nspname || '.' || t.tgname from pg_trigger t join pg_class r on r.oid = t.tgrelid join pg_namespace n on n.oid = r.relnamespace where t.tgdeferrable and n.nspname in ('registry', 'exchange')
      order by 1`)
    return rows
  }
  const OURS = [{ name: 'exchange.feed_change_takes_head' }, { name: 'registry.feed_change_takes_head' }]

  it('is deferred to the commit, where it could wait for others with the head in its hand', async () => {
    expect(await deferred()).toEqual(OURS)
    await run('create table registry.planted (id int unique deferrable)')
    expect(await deferred()).not.toEqual(OURS)
    await run('drop table registry.planted')
  })
})

describe('the epoch', () => {
  it('is the same in every session, and another after a restore', async () => {
    const [{ epoch }, ...others] = [await read(), ...(await Promise.all(Array.from({ length: 5 }, () => read())))]
    expect(others.every((other) => other.epoch === epoch)).toBe(true)
    await run('update registry.feed_setting set epoch = gen_random_uuid()')
    expect((await read()).epoch).not.toBe(epoch)
    expect((await append('after')).revision).toContain((await read()).epoch)
  })
})

describe('history', () => {
  it('that was pruned is missed by counting', async () => {
    const start = await headNow()
    await append('old')
    await append('older than all')
    await run("update registry.feed_change set commit_time = now() - interval '16 minutes'")
    await append('new')
    await pruneFeed(db, 'registry', 15)
    const { head, changes } = await read(start)
    expect([head - start, changes.length]).toEqual([3, 1])
  })
})

describe('the bound', () => {
  const bounds = async () => {
    const { boundMillis, keptBoundMillis } = await read()
    return [boundMillis, keptBoundMillis]
  }
  const passTime = () => run("update registry.feed_setting set bound_change_time = now() - interval '2 minutes'")

  // Seen to fail with earlier_bound_millis set to the last bound alone.
  it('counts at once where it was raised, and where it was lowered only after the earlier one has passed', async () => {
    await setBound(db, 'registry', 60_000)
    expect(await bounds()).toEqual([60_000, 60_000])
    await setBound(db, 'registry', 1_000)
    expect(await bounds()).toEqual([1_000, 60_000])
    await setBound(db, 'registry', 100)
    await setBound(db, 'registry', 100)
    expect(await bounds()).toEqual([100, 60_000])
    await passTime()
    expect(await bounds()).toEqual([100, 100])
  })
})
