import { HINTS, type KeyValueStore } from '../redis/key-value.js'
import { PULL_EVERY_MILLIS } from './follow.js'
import type { Follower } from './follower.js'

/** Pulls a feed from now on, at intervals while it is used and when its owner says that there is something new. Returns how to stop. */
export function keepPulling(feed: Follower, store: KeyValueStore | undefined, onFailure: (failure: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const tick = () => {
    try {
      feed.tick()
    } catch (error) {
      onFailure(error)
    }
    // A thousand sidecars that nobody asks anything would wake up forty times a second, each for nothing.
    if (!feed.rest(tickLater)) tickLater()
  }
  const tickLater = () => {
    if (!isStopped) timer = setTimeout(tick, PULL_EVERY_MILLIS).unref()
  }
  store?.listen(HINTS, (name) => {
    if (name === feed.name) feed.hint()
  })
  tickLater()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}
