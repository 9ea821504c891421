import type { Kysely } from 'kysely'
import type { Clock } from '../clock.js'
import type { Ids } from '../ids.js'
import { HINTS, type KeyValueStore } from '../redis/key-value.js'
import { type ChangeFeed, changeFeed } from './append.js'
import type { FeedName } from './entities.js'
import { pruneFeed, type PullServer, pullServer, readFeed, setBound } from './serve.js'

/** A replica that was away for longer starts over, at the cost of its cache. */
const KEEP_MINUTES = 15

export const PRUNE_FEED_EVERY_MILLIS = 60_000

/** All that an owner does with its change feed: append to it through either of its pools, answer pulls, keep it short. */
export type OwnedFeed<Schema> = {
  readonly changes: ChangeFeed<Schema>
  readonly internalChanges: ChangeFeed<Schema>
  readonly pulls: PullServer
  setBound(millis: number): Promise<void>
  prune(): Promise<void>
}

type Options<Schema> = {
  readonly name: FeedName
  readonly db: Kysely<Schema>
  readonly internalDb: Kysely<Schema>
  readonly ids: Ids
  /** In place of the database's time. */
  readonly clock: Clock | undefined
  readonly store: KeyValueStore | undefined
}

export function ownedFeed<Schema>({ name, db, internalDb, ids, clock, store }: Options<Schema>): OwnedFeed<Schema> {
  const hint = () => store?.publish(HINTS, name)
  return {
    changes: changeFeed({ name, db, ids, hint }),
    internalChanges: changeFeed({ name, db: internalDb, ids, hint }),
    pulls: pullServer((after) => readFeed(internalDb, name, { after, clock })),
    setBound: (millis) => setBound(internalDb, name, millis),
    prune: () => pruneFeed(internalDb, name, KEEP_MINUTES),
  }
}
