import type { Kysely } from 'kysely'
import type { Clock } from '../clock.js'
import type { Ids } from '../ids.js'
import { Closing, every } from '../lifecycle.js'
import { connectDatabase, type DatabaseOptions } from '../postgres/database.js'
import { HINTS, type KeyValueStore } from '../redis/key-value.js'
import { type ChangeFeed, changeFeed } from './append.js'
import type { FeedName } from './entities.js'
import { pruneFeed, type PullServer, pullServer, readFeed, setBound } from './serve.js'

/** A replica that was away for longer starts over, at the cost of its cache. */
const KEEP_MINUTES = 15

const PRUNE_EVERY_MILLIS = 60_000

/** All that an owner does with its change feed: append to it through either of its pools, answer pulls, keep it short. */
export type OwnedFeed<Schema> = {
  readonly changes: ChangeFeed<Schema>
  readonly internalChanges: ChangeFeed<Schema>
  readonly pulls: PullServer
  /** Says how long its answers may be kept, and begins to forget old changes. */
  open(boundMillis: number, onFailure: (failure: unknown) => void): Promise<void>
  close(): Promise<void>
}

type Options<Schema> = {
  readonly name: FeedName
  readonly db: Kysely<Schema>
  readonly internalDb: Kysely<Schema>
  readonly database: DatabaseOptions
  readonly ids: Ids
  /** In place of the database's time. */
  readonly clock: Clock | undefined
  readonly store: KeyValueStore | undefined
}

export function ownedFeed<Schema>({ name, db, internalDb, database, ids, clock, store }: Options<Schema>): OwnedFeed<Schema> {
  const hint = () => store?.publish(HINTS, name)
  // A connection for itself: pulls read one at a time, and no flood of other reads may make a lease lapse.
  const feedDb = connectDatabase<Schema>({ ...database, poolSize: 1 })
  const closing = new Closing()
  closing.add(() => feedDb.destroy())
  return {
    changes: changeFeed({ name, db, ids, hint }),
    internalChanges: changeFeed({ name, db: internalDb, ids, hint }),
    pulls: pullServer((after) => readFeed(feedDb, name, { after, clock })),
    open: async (boundMillis, onFailure) => {
      await setBound(internalDb, name, boundMillis)
      closing.add(every(PRUNE_EVERY_MILLIS, () => pruneFeed(internalDb, name, KEEP_MINUTES), onFailure))
    },
    close: () => closing.close(),
  }
}
