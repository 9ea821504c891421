import { HINTS, type KeyValueStore } from '../redis/key-value.js'
import { PULL_EVERY_MILLIS } from './follow.js'
import type { Follower } from './follower.js'

/** Pulls a feed from now on, at intervals while it is used and when its owner says that there is something new. Returns how to stop. */
export function keepPulling(feed: Follower, store: KeyValueStore | undefined, onFailure: (failure: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let hintTimer: NodeJS.Timeout | undefined
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
  // One that is too early is kept and not left to the next tick: a fifth of all would take five times as long.
  const hint = () => {
    if (isStopped || hintTimer) return
    const tooEarlyBy = feed.hint()
    if (tooEarlyBy > 0) hintTimer = setTimeout(hintAgain, Math.ceil(tooEarlyBy)).unref()
  }
  const hintAgain = () => {
    hintTimer = undefined
    hint()
  }
  store?.listen(HINTS, (name) => {
    if (name === feed.name) hint()
  })
  tickLater()
  return () => {
    isStopped = true
    clearTimeout(timer)
    clearTimeout(hintTimer)
  }
}
