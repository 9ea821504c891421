import { LRUCache } from 'lru-cache'
import type { Entry } from './stamp.js'

/** Copies in this process, bounded by bytes. Whether one may be used is not its business: a hit makes nothing fresher. */
export type EntryCache<Value> = {
  find(key: string): Entry<Value> | undefined
  /** Keeps the entry on account of whoever asked for it. */
  admit(key: string, entry: Entry<Value>, on: { readonly account: string; readonly bytes: number }): void
  drop(key: string): void
  clear(): void
  readonly bytes: number
}

/**
 * What one account can make others give up: where the cache is full, an account that has more makes room from its own. So
 * asking for a million things that nobody else wants can't flush the others'.
 */
const SHARE = 1 / 50

/** Roughly what an entry takes beside its value: its keys, dependencies and places in three maps. */
const OVERHEAD_BYTES = 600

type Kept<Value> = { readonly entry: Entry<Value>; readonly account: string; readonly bytes: number }

type Account = { bytes: number; readonly keys: Set<string> }

export function entryCache<Value>(maxBytes: number): EntryCache<Value> {
  const shareBytes = maxBytes * SHARE
  const accounts = new Map<string, Account>()
  const kept = new LRUCache<string, Kept<Value>>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes,
    dispose: ({ account, bytes }, key) => {
      const of = accounts.get(account)
      if (!of) return
      of.keys.delete(key)
      of.bytes -= bytes
      if (of.keys.size === 0) accounts.delete(account)
    },
  })
  return {
    find: (key) => kept.get(key)?.entry,
    admit: (key, entry, { account, bytes: valueBytes }) => {
      const bytes = valueBytes + OVERHEAD_BYTES
      if (bytes > shareBytes) return
      kept.delete(key)
      const of = accounts.get(account) ?? { bytes: 0, keys: new Set() }
      for (const oldest of of.keys) {
        if (kept.calculatedSize + bytes <= maxBytes || of.bytes + bytes <= shareBytes) break
        kept.delete(oldest)
      }
      accounts.set(account, of)
      of.keys.add(key)
      of.bytes += bytes
      kept.set(key, { entry, account, bytes })
    },
    drop: (key) => void kept.delete(key),
    clear: () => kept.clear(),
    get bytes() {
      return kept.calculatedSize
    },
  }
}
