import pLimit from 'p-limit'
import { monotonicMillis } from '../clock.js'
import { DomainError } from '../domain-error.js'
import type { Outgoing } from '../rpc/client.js'
import { overloaded } from '../rpc/unary.js'
import type { EntryCache } from './entry-cache.js'
import type { Follower } from './follower.js'
import type { Entry } from './stamp.js'

// Memory, then the shared store, then the owner. Whatever is found, wherever, takes the same test against the feed.

export type Place = 'memory' | 'redis' | 'owner'

/** Entries that other replicas may have read, or the owner written. It may hold anything; what it gives is only tried. */
export type SharedEntries<Key, Value> = {
  find(key: Key): Promise<Entry<Value> | undefined>
  keep(key: Key, entry: Entry<Value>): void
}

export type Reader<Key, Value> = {
  /** The entry in memory if it may be used at this moment. */
  near(key: Key): Entry<Value> | undefined
  /** An entry that may be used when this resolves; what is awaited afterwards makes it older. */
  read(key: Key, outgoing: Outgoing, expected?: Expected<Value>): Promise<Entry<Value>>
  /** Asks the shared store for what will probably be read soon, in one turn with whatever else it is asked for. */
  expect(key: Key): Expected<Value>
  /** The entry in memory, whether it may be used or not: enough for what can never change back. */
  last(key: Key): Entry<Value> | undefined
}

/** What the shared store will have answered, to be tested like everything from there. */
export type Expected<Value> = Promise<Entry<Value> | undefined> | undefined

type Options<Key, Value> = {
  readonly feed: Follower
  readonly memory: EntryCache<Value>
  readonly shared: SharedEntries<Key, Value> | undefined
  /** Asks the owner; what it refuses is refused, and never kept. */
  readonly ask: (key: Key, outgoing: Outgoing) => Promise<Entry<Value>>
  readonly nameOf: (key: Key) => string
  /** Who asks for it, and how much it takes. */
  readonly costOf: (key: Key, value: Value) => { readonly account: string; readonly bytes: number }
  readonly on?: { readonly found?: (place: Place) => void }
}

/** Loads at once; more wait, so that misses by the thousand can't drown the owner. */
const LOADS_AT_ONCE = 32
const LOADS_WAITING = 2_000
/** What one load may take, whoever waits for it. */
const LOAD_WITHIN_MILLIS = 1_000
/** An entry that is changed while it is loaded is loaded again. */
const ATTEMPTS = 10

export const changesTooFast = (): DomainError =>
  new DomainError('UNAVAILABLE', 'CHANGES_TOO_FAST', 'What the answer rests on changed again and again while it was read. Keep the token and ask again.', { retryAfterMillis: 50 })

export function readThrough<Key, Value>({ feed, memory, shared, ask, nameOf, costOf, on }: Options<Key, Value>): Reader<Key, Value> {
  const load = coalesced(ask, nameOf)
  const isUsable = (entry: Entry<Value>): boolean => feed.test(entry) === 'usable'
  let startedOver = feed.startedOver
  const near = (key: Key): Entry<Value> | undefined => {
    if (startedOver !== feed.startedOver) {
      startedOver = feed.startedOver
      memory.clear()
    }
    const entry = memory.find(nameOf(key))
    if (!entry || !isUsable(entry)) return undefined
    on?.found?.('memory')
    return entry
  }
  // Newer than what was pulled, or of an epoch that was not pulled yet: the feed has to come along first.
  const isAhead = (entry: Entry<Value>, from: Place): boolean => {
    const verdict = feed.test(entry)
    return verdict === 'ahead' || (verdict === 'elsewhere' && from === 'owner')
  }
  const admitted = (key: Key, entry: Entry<Value>, from: Place): Entry<Value> => {
    on?.found?.(from)
    memory.admit(nameOf(key), entry, costOf(key, entry.value))
    return entry
  }
  return {
    near,
    last: (key) => memory.find(nameOf(key)),
    expect: (key) => (memory.find(nameOf(key)) ? undefined : shared?.find(key)),
    read: async (key, outgoing, expected) => {
      const entry = near(key)
      if (entry) return entry
      const found = await (expected ?? shared?.find(key))
      if (found && isAhead(found, 'redis')) await feed.pull()
      if (found && isUsable(found)) return admitted(key, found, 'redis')
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        const loaded = await load(key, outgoing)
        if (isAhead(loaded, 'owner')) await feed.pull()
        if (!isUsable(loaded)) continue
        shared?.keep(key, loaded)
        return admitted(key, loaded, 'owner')
      }
      throw changesTooFast()
    },
  }
}

/** One load of a key at a time, and not too many in all. */
function coalesced<Key, Value>(ask: Options<Key, Value>['ask'], nameOf: (key: Key) => string) {
  const loads = new Map<string, Promise<Entry<Value>>>()
  const limit = pLimit(LOADS_AT_ONCE)
  const start = (key: Key, { trace }: Outgoing): Promise<Entry<Value>> => {
    if (limit.pendingCount >= LOADS_WAITING) return Promise.reject(overloaded())
    const name = nameOf(key)
    const loading = limit(() => ask(key, { trace, deadline: monotonicMillis() + LOAD_WITHIN_MILLIS }))
    const done = () => {
      if (loads.get(name) === loading) loads.delete(name)
    }
    loads.set(name, loading)
    loading.then(done, done)
    return loading
  }
  return async (key: Key, outgoing: Outgoing): Promise<Entry<Value>> => {
    const underWay = loads.get(nameOf(key))
    const joined = await underWay?.catch(unlessRefused)
    // One that is under way now was begun after this call.
    return joined ?? loads.get(nameOf(key)) ?? start(key, outgoing)
  }
}

/** Only a load that was begun after the call may refuse: what it asks for may have been made since an earlier one read. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof DomainError && error.kind === 'UNAUTHENTICATED') return
  throw error
}
