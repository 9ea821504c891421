import type { SharedEntries } from '#libs/freshness/read-through.js'
import type { EntityName } from '#libs/freshness/entities.js'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import type { Sealer } from '#libs/redis/sealed.js'

/** Long enough to spare a restarted replica its owners; whether an entry may be used is up to its stamp. */
const KEEP_MILLIS = 600_000

export type SharedStore = { readonly store: KeyValueStore; readonly sealer: Sealer }

type Format<Key, Value> = {
  readonly keyOf: (key: Key) => string | undefined
  readonly write: (value: Value, key: Key) => string
  /** Undefined where what is found is not about this key. */
  readonly read: (text: string, key: Key) => Value | undefined
  /** False for what is not worth a place; without it, everything is. */
  readonly isKept?: (value: Value) => boolean
  readonly dependenciesOf: (key: Key, value: Value) => readonly EntityName[]
}

/** Sealed entries in the store: what is forged, restored or moved there opens as nothing, and what is old fails the test. */
export function sharedEntries<Key, Value>({ store, sealer }: SharedStore, { keyOf, write, read, isKept, dependenciesOf }: Format<Key, Value>): SharedEntries<Key, Value> {
  return {
    find: async (key) => {
      const name = keyOf(key)
      const [bytes] = name === undefined ? [] : await store.get([name])
      const opened = name !== undefined && bytes ? sealer.open(name, bytes) : undefined
      const value = opened && read(opened.value, key)
      return opened && value && { value, stamp: { epoch: opened.epoch, seq: opened.seq }, dependencies: dependenciesOf(key, value) }
    },
    keep: (key, { stamp, value }) => {
      const name = isKept?.(value) === false ? undefined : keyOf(key)
      if (name !== undefined) void store.set(name, sealer.seal(name, stamp, write(value, key)), KEEP_MILLIS)
    },
  }
}
