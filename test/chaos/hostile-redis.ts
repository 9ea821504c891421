import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FeedName } from '#libs/freshness/entities.js'
import { macKeys, type Opened, sealer } from '#libs/redis/sealed.js'
import type { Fault, FaultKind } from './faults.js'
import type { Place } from './history.js'
import type { Random } from './random.js'
import type { World } from './world.js'

// A Redis that forgets, that goes back, and that says whatever it likes, short of knowing the MAC's key.

/** What a store under attack was seen to hold. */
type Seen = { readonly bytes: Buffer; readonly opened: Opened }

const KEEP_MILLIS = 60_000
const EVERY_MILLIS = 25

/** Where the feeds are by now, so that a forgery says that it is as new. */
export type Newest = ReadonlyMap<FeedName, Place>

export const redisFaults = (newest: Newest): readonly FaultKind[] => [
  { weight: 1, millis: [50, 200], make: ({ redis }) => ({ kind: 'redis-flush', target: 'redis', resources: ['redis'], begin: () => redis.flush(), end: () => redis.flush() }) },
  { weight: 1.5, millis: [600, 2_000], make: restored },
  { weight: 2.5, millis: [800, 2_500], make: (world, random) => forged(world, random, newest) },
]

/** Does something to Redis again and again. */
function repeated(kind: string, work: () => Promise<void>): Fault {
  let over = false
  let underWay = Promise.resolve()
  const run = async () => {
    while (!over) {
      await work()
      await sleep(EVERY_MILLIS)
    }
  }
  return {
    kind,
    target: 'redis',
    resources: ['redis'],
    begin: () => {
      underWay = run()
    },
    async end() {
      over = true
      await underWay
    },
  }
}

/** What it held a while ago comes back over what it holds now. */
function restored({ redis }: World): Fault {
  let dump: Awaited<ReturnType<typeof redis.dump>> | undefined
  return repeated('redis-restore', async () => {
    dump ??= await redis.dump()
    await sleep(100)
    await redis.restore(dump)
  })
}

function forged({ redis, secrets }: World, random: Random, newest: Newest): Fault {
  const ours = sealer(macKeys.parse(`local:${secrets.redisMacKey}`))
  const forger = sealer([{ id: 'local', key: randomBytes(32) }])
  const first = new Map<string, Seen>()
  const client = redis.client()
  const look = async (): Promise<void> => {
    const keys = await client.keys('*:v?:*')
    const values = keys.length === 0 ? [] : await client.mgetBuffer(...keys)
    for (const [index, key] of keys.entries()) {
      const bytes = values[index]
      const opened = bytes ? ours.open(key, bytes) : undefined
      if (bytes && opened && !first.has(key)) first.set(key, { bytes, opened })
    }
  }
  return repeated('redis-forge', async () => {
    await look()
    const seen = [...first]
    for (const [key, one] of seen) {
      const other = random.pick(seen)?.[1] ?? one
      const sameKind = random.pick(seen.filter(([name]) => kindOf(name) === kindOf(key)))?.[1] ?? one
      // As new as the feed, or as it will be in a moment.
      const feed = key.startsWith('auth-exchange') ? 'exchange' : 'registry'
      const { epoch, seq } = newest.get(feed) ?? one.opened
      const stamp = { epoch, seq: seq + random.between(0, 5) }
      const lies: (() => Buffer)[] = [
        () => forger.seal(key, stamp, one.opened.value),
        () => forger.seal(key, stamp, one.opened.value),
        () => forger.seal(key, stamp, sameKind.opened.value),
        () => forger.seal(key, stamp, other.opened.value),
        () => sameKind.bytes,
        () => other.bytes,
        () => flipped(one.bytes, random),
        () => randomBytes(random.between(1, 300)),
      ]
      const lie = random.pick(lies)?.()
      if (lie && random.chance(0.7)) await client.set(key, lie, 'PX', KEEP_MILLIS).catch(() => undefined)
    }
  })
}

const kindOf = (key: string): string => key.split(/:v\d:/)[0] ?? ''

function flipped(bytes: Buffer, random: Random): Buffer {
  const changed = Buffer.from(bytes)
  const place = random.between(0, changed.length - 1)
  changed.writeUInt8(changed.readUInt8(place) ^ random.between(1, 255), place)
  return changed
}
