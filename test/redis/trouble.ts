import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { monotonicMillis } from '#libs/clock.js'
import { createLog } from '#libs/log.js'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import { redisStore } from '#libs/redis/redis-store.js'
import { type OwnRedis, ownRedis } from '../support/redis.js'
import { until } from '../support/running-processes.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'

/** On a machine that is busy with other tests a command may take too long where nothing is wrong. */
export const PATIENTLY = { retry: 2 } as const

// What comes late on a busy machine is allowed for.
export const LATE_MILLIS = 100
export const AT_ONCE_MILLIS = 25
export const LONG = 60_000
const NORMAL_WITHIN_MILLIS = 5_000

export type Said = { readonly level: string; readonly msg: string; readonly text: string }
export type WatchedStore = KeyValueStore & { readonly said: readonly Said[] }

export type Trouble = {
  /** Runs, empty, at the start of each test. */
  readonly redis: () => OwnRedis
  /** A store that keeps what it says, and is closed after the test. */
  readonly connect: (url?: string) => WatchedStore
  /** The same once it is up. */
  readonly connected: (url?: string) => Promise<WatchedStore>
  /** A way to the Redis, and its URL that way. */
  readonly proxy: () => Promise<{ readonly proxy: TcpProxy; readonly url: string }>
  readonly after: (step: () => Promise<void> | void) => void
}

/** A Redis for the tests of one file, to do to it what they like. */
export function trouble(): Trouble {
  const undo: (() => Promise<void> | void)[] = []
  let own: OwnRedis | undefined
  const redis = () => {
    if (own === undefined) throw new Error('there is no Redis before the first test')
    return own
  }
  beforeAll(async () => {
    own = await ownRedis()
  })
  afterAll(() => own?.close())
  beforeEach(() => redis().restart())
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })
  const connect = (url = redis().url): WatchedStore => {
    const said: Said[] = []
    const log = createLog({ service: 'test', level: 'trace', destination: { write: (text) => said.push({ ...JSON.parse(text), text }) } })
    const store = redisStore({ url, log })
    undo.push(() => store.close())
    return Object.assign(store, { said })
  }
  return {
    redis,
    connect,
    async connected(url) {
      const store = connect(url)
      await until(async () => store.isUp())
      return store
    },
    async proxy() {
      const place = `127.0.0.1:${redis().port}`
      const proxy = await startTcpProxy({ target: place })
      undo.push(() => proxy.close())
      return { proxy, url: redis().url.replace(place, proxy.address) }
    },
    after: (step) => undo.push(step),
  }
}

export async function timed(work: Promise<unknown>): Promise<number> {
  const start = monotonicMillis()
  await work
  return monotonicMillis() - start
}

export const newKey = () => `test:trouble:v1:${randomBytes(8).toString('hex')}`

export async function keepsAgain(store: KeyValueStore): Promise<void> {
  const [key, value] = [newKey(), randomBytes(8)]
  const took = await timed(
    until(async () => {
      await store.set(key, value, LONG)
      return (await store.get([key]))[0]?.equals(value) ?? false
    }),
  )
  expect(took).toBeLessThan(NORMAL_WITHIN_MILLIS)
  expect(store.isUp()).toBe(true)
}

/** Listens, and returns what waits until something new is heard. */
export function listening(store: KeyValueStore): () => Promise<void> {
  const channel = newKey()
  let latest = ''
  store.listen(channel, (message) => (latest = message))
  return async () => {
    const message = newKey()
    const hears = until(async () => {
      store.publish(channel, message)
      return latest === message
    })
    expect(await timed(hears)).toBeLessThan(NORMAL_WITHIN_MILLIS)
  }
}

/** Each of many reads one after the other, with its time: none finds anything. */
export async function reads(store: KeyValueStore, key: string, count: number): Promise<number[]> {
  const took: number[] = []
  for (let read = 0; read < count; read += 1) {
    const start = monotonicMillis()
    expect(await store.get([key, key])).toEqual([undefined, undefined])
    took.push(monotonicMillis() - start)
  }
  return took
}
