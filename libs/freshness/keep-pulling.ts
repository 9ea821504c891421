import { every } from '../lifecycle.js'
import { HINTS, type KeyValueStore } from '../redis/key-value.js'
import { type Follower, PULL_EVERY_MILLIS } from './follow.js'

/** Pulls a feed from now on, at intervals and when its owner says that there is something new. Returns how to stop. */
export function keepPulling(feed: Follower, store: KeyValueStore | undefined, onFailure: (failure: unknown) => void): () => Promise<void> {
  store?.listen(HINTS, (name) => {
    if (name === feed.name) feed.hint()
  })
  return every(PULL_EVERY_MILLIS, () => Promise.resolve(feed.tick()), onFailure)
}
