import type { KeyValueStore } from './key-value.js'

type Asked = { readonly keys: readonly string[]; readonly answer: (values: readonly (Buffer | undefined)[]) => void }

/** A command with more keys would hold up the others of a store that does one thing at a time. */
const MOST_KEYS = 200

/**
 * Asks a store once for all that is asked in one turn of the event loop: under load most of a read's cost is the command,
 * its write and its reply, and little of it the key. Alone, a read is asked for as soon as the turn is over.
 */
export function batchedReads(store: KeyValueStore): KeyValueStore {
  let waiting: Asked[] = []
  let count = 0
  const flush = () => {
    const batch = waiting
    waiting = []
    count = 0
    if (batch.length > 0) void askFor(batch)
  }
  const askFor = async (batch: readonly Asked[]) => {
    const values = await store.get(batch.flatMap(({ keys }) => keys))
    let at = 0
    for (const { keys, answer } of batch) {
      answer(values.slice(at, at + keys.length))
      at += keys.length
    }
  }
  return {
    get: (keys) =>
      new Promise((answer) => {
        if (count === 0) setImmediate(flush)
        waiting.push({ keys, answer })
        count += keys.length
        if (count >= MOST_KEYS) flush()
      }),
    set: (key, value, ttlMillis) => store.set(key, value, ttlMillis),
    publish: (channel, message) => store.publish(channel, message),
    listen: (channel, onMessage) => store.listen(channel, onMessage),
    isUp: () => store.isUp(),
    close: () => store.close(),
  }
}
