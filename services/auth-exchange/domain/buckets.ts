/** Values by key, of which no more than a fixed number are kept. */
export type Buckets<Value> = {
  /** Where the value of a key is: under the key itself, or under one that all share who find no room. */
  placeOf(key: string, millis: number): string
  get(place: string): Value | undefined
  set(place: string, value: Value): void
  delete(key: string): void
  entries(): Iterable<[string, Value]>
  readonly size: number
}

const OTHERS = ''

const SWEEP_EVERY_MILLIS = 1_000

/**
 * What still counts is never forgotten, or whoever brings enough keys would have it forgotten: all that find no room share one
 * value. What no longer counts makes room. Times are milliseconds since 1970.
 */
export function buckets<Value>(most: number, counts: (value: Value, millis: number) => boolean): Buckets<Value> {
  const values = new Map<string, Value>()
  let sweptMillis = -Infinity
  const makeRoom = (millis: number): void => {
    if (millis - sweptMillis < SWEEP_EVERY_MILLIS) return
    sweptMillis = millis
    for (const [key, value] of values) {
      if (!counts(value, millis)) values.delete(key)
    }
  }
  return {
    placeOf: (key, millis) => {
      if (values.has(key)) return key
      if (values.size >= most) makeRoom(millis)
      return values.size < most ? key : OTHERS
    },
    get: (place) => values.get(place),
    set: (place, value) => void values.set(place, value),
    delete: (key) => void values.delete(key),
    entries: () => values.entries(),
    get size() {
      return values.size
    },
  }
}
