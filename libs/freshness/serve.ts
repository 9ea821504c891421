import { type Kysely, sql, type Transaction } from 'kysely'
import type { Clock } from '../clock.js'
import { feedEpoch } from './append.js'
import type { FeedName } from './entities.js'
import { SHARD } from './revision.js'
import type { Change, Durability, Pulled, Stamp } from './stamp.js'

// The owner's side of a pull. Any number of replicas pull at once, and the database is read by one statement at a time.

export type OwnedChange = Change & { readonly organizationId: string }

export type Answer = Omit<Pulled, 'changes'> & { readonly changes: readonly OwnedChange[] }

/** A replica that is further behind starts over, which costs it less than so many changes. */
const MOST_CHANGES = 5_000

/** The position after which changes are asked for. `current`: what is answered must have been read after the pull arrived. */
export type AskedPull = Stamp & { readonly current: boolean }

export type PullServer = (asked: AskedPull) => Promise<Answer>

/**
 * Answers every pull from a snapshot that was taken after it was asked.
 * At most one read runs and one waits; a pull may join only the one that waits, since the other may have seen less.
 */
export function pullServer(read: (after: number) => Promise<Answer>): PullServer {
  let running: Promise<unknown> = Promise.resolve()
  let waiting: { after: number; readonly answer: Promise<Answer> } | undefined
  const join = (after: number): Promise<Answer> => {
    if (waiting) {
      waiting.after = Math.min(waiting.after, after)
      return waiting.answer
    }
    const start = (): Promise<Answer> => {
      const from = waiting?.after ?? after
      waiting = undefined
      return read(from)
    }
    const answer = running.then(start, start)
    waiting = { after, answer }
    running = answer
    return answer
  }
  return async ({ epoch, seq }) => {
    const answer = await join(seq)
    return { ...answer, changes: epoch === answer.epoch ? answer.changes.filter((change) => change.seq > seq) : [] }
  }
}

type Row = {
  epoch: string
  head: string
  boundMillis: number
  keptBoundMillis: number
  databaseTime: Date
  durability: Durability
  changes: { seq: number; organizationId: string; entities: string[] }[] | null
}

// 0 once it has passed.
const earlierBound = sql<number>`case when clock_timestamp() < bound_change_time + make_interval(secs => earlier_bound_millis / 1000.0) then earlier_bound_millis else 0 end`

/** Everything that a pull is answered with, by one statement. `clock` is in place of the database's time, for tests. */
export async function readFeed<Schema>(db: Kysely<Schema>, feed: FeedName, { after, clock }: { after: number; clock: Clock | undefined }): Promise<Answer> {
  const { rows } = await sql<Row>`
    select ${feedEpoch(feed)} as epoch, head.seq as head, setting.bound_millis, clock_timestamp() as database_time,
      greatest(setting.bound_millis, ${earlierBound}) as kept_bound_millis,
      case when current_setting('fsync') = 'off' then 'none'
           when current_setting('synchronous_standby_names') = '' or current_setting('synchronous_commit') in ('off', 'local') then 'local'
           else 'replicated' end as durability,
      (select json_agg(json_build_object('seq', c.seq, 'organizationId', c.organization_id, 'entities', c.entities) order by c.seq)
       from ${sql.id(feed, 'feed_change')} c
       where c.shard = head.shard and c.seq > greatest(${after}::bigint, head.seq - ${sql.lit(MOST_CHANGES)})) as changes
    from ${sql.id(feed, 'feed_head')} head, ${sql.id(feed, 'feed_setting')} setting
    where head.shard = ${sql.lit(SHARD)}
  `.execute(db)
  const [row] = rows
  if (!row) throw new Error(`the ${feed} feed has no head`)
  const { epoch, head, boundMillis, keptBoundMillis, durability, databaseTime, changes } = row
  const promised = { durability, keptBoundMillis }
  return { epoch, head: Number(head), boundMillis, promised, databaseTime: clock?.now() ?? databaseTime, changes: changes ?? [], ageMillis: 0 }
}

/** Sets how long a cached answer may be used after its last pull, for the whole feed. */
export async function setBound<Schema>(db: Kysely<Schema>, feed: FeedName, boundMillis: number): Promise<void> {
  await sql`
    update ${sql.id(feed, 'feed_setting')}
    set bound_millis = ${boundMillis}, earlier_bound_millis = greatest(bound_millis, ${earlierBound}), bound_change_time = clock_timestamp()
    where bound_millis <> ${boundMillis}
  `.execute(db)
}

/** Voids every copy of what the owner answered, wherever it is kept: for after a restore, when numbers may be dealt out again. */
export async function changeEpoch<Schema>(tx: Transaction<Schema>, feed: FeedName): Promise<void> {
  await sql`update ${sql.id(feed, 'feed_setting')} set epoch = gen_random_uuid()`.execute(tx)
}

/** Forgets changes that are older than any replica that goes on will ask for. */
export async function pruneFeed<Schema>(db: Kysely<Schema>, feed: FeedName, keepMinutes: number): Promise<void> {
  await sql`delete from ${sql.id(feed, 'feed_change')} where commit_time < clock_timestamp() - make_interval(mins => ${keepMinutes})`.execute(db)
}
