import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis as Client } from 'ioredis'
import { type Redis, startRedis } from '../../deploy/local/embedded-redis.js'
import { findRedisProgram } from '../../deploy/local/find-redis.js'
import { scratchDirectory } from './scratch-directory.js'
import { stablePort } from './stable-port.js'

/** Everything that a Redis held at one time. */
export type Dump = readonly { readonly key: Buffer; readonly ttlMillis: number; readonly value: Buffer }[]

export type OwnRedis = {
  readonly url: string
  readonly port: number
  /** Of the server that runs, or that ran last. */
  readonly pid: number
  kill(signal: NodeJS.Signals): void
  /** Returns when the server has ended, for whatever reason. */
  exited(): Promise<void>
  stop(): Promise<void>
  /** An empty one on the same port with the same password; stops the server first if it runs. */
  restart(): Promise<void>
  /** For whatever a test does to it that the product would not: an ordinary client, and the same one each time. */
  client(): Client
  flush(): Promise<void>
  dump(): Promise<Dump>
  /** Old values come back over newer ones, as from a copy of another day. */
  restore(dump: Dump): Promise<void>
  close(): Promise<void>
}

/** What all runs of the tests share, so that only the first one downloads it. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/countersign-redis', import.meta.url))

/** The program of a real Redis: on the PATH, or unpacked. Somebody's server is none to be tried out, nor is the store in process. */
export async function redisForTests(): Promise<string> {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const program = await findRedisProgram({ environment: process.env, unpackTo: CACHE, say })
  if (program === undefined) throw new Error('The tests need a real Redis, and there is none: install redis-server or valkey-server.')
  return program
}

/** Lets every `npm start` of a test find this program, instead of somebody's server or one unpacked for each data folder. */
export function offerToStarts(program: string): void {
  delete process.env['REDIS_URL']
  delete process.env['REDIS_URL_FILE']
  process.env['PATH'] = `${dirname(program)}:${process.env['PATH'] ?? ''}`
}

/** A Redis for a test that does to it what it may not do to the shared one. */
export async function ownRedis(): Promise<OwnRedis> {
  const scratch = await scratchDirectory()
  const settings = { program: await redisForTests(), dataDir: join(scratch.path, 'redis'), port: await stablePort(), password: randomBytes(16).toString('base64url') }
  const start = () => startRedis({ ...settings, log: () => undefined })
  let server: Redis = await start()
  let made: Client | undefined
  const client = () => (made ??= clientOf(server.url))
  return {
    url: server.url,
    port: server.port,
    get pid() {
      return server.pid
    },
    kill: (signal) => server.kill(signal),
    exited: () => server.exited,
    stop: () => server.stop(),
    async restart() {
      await server.stop()
      server = await start()
    },
    client,
    async flush() {
      await client().flushall()
    },
    dump: () => dumpOf(client()),
    restore: (dump) => restoreTo(client(), dump),
    async close() {
      made?.disconnect()
      await server.stop()
      await scratch.remove()
    },
  }
}

function clientOf(url: string): Client {
  const client = new Client(url, { retryStrategy: () => 50 })
  // It waits for a server that is stopped, and goes on with the next one.
  client.on('error', () => undefined)
  return client
}

async function dumpOf(client: Client): Promise<Dump> {
  const dump = []
  for (const key of await client.keysBuffer('*')) {
    const [value, ttlMillis] = [await client.dumpBuffer(key), await client.pttl(key)]
    // It may have come to its end in between.
    if (ttlMillis !== -2) dump.push({ key, value, ttlMillis: Math.max(ttlMillis, 0) })
  }
  return dump
}

async function restoreTo(client: Client, dump: Dump): Promise<void> {
  for (const { key, ttlMillis, value } of dump) await client.restore(key, ttlMillis, value, 'REPLACE')
}
