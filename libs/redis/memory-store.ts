import type { KeyValueStore } from './key-value.js'

const MOST_ENTRIES = 50_000

/** The same in this process, for where there is no Redis: nothing is shared with others, and nothing outlives it. */
export function memoryStore(now: () => number): KeyValueStore {
  const entries = new Map<string, { readonly value: Buffer; readonly end: number }>()
  const listeners = new Map<string, ((message: string) => void)[]>()
  const find = (key: string): Buffer | undefined => {
    const entry = entries.get(key)
    if (entry === undefined || entry.end > now()) return entry?.value
    entries.delete(key)
    return undefined
  }
  return {
    get: (keys) => Promise.resolve(keys.map(find)),
    set(key, value, ttlMillis) {
      if (ttlMillis >= 1) {
        // What is set again is young again.
        entries.delete(key)
        entries.set(key, { value, end: now() + Math.floor(ttlMillis) })
        const [oldest] = entries.size > MOST_ENTRIES ? entries.keys() : []
        if (oldest !== undefined) entries.delete(oldest)
      }
      return Promise.resolve()
    },
    publish(channel, message) {
      for (const listener of listeners.get(channel) ?? []) queueMicrotask(() => listener(message))
    },
    listen(channel, onMessage) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), onMessage])
    },
    isUp: () => true,
    close() {
      entries.clear()
      listeners.clear()
      return Promise.resolve()
    },
  }
}
