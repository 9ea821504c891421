import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis as Client } from 'ioredis'
import { Closing } from '#libs/lifecycle.js'
import { type Redis, startRedis } from '../../deploy/local/embedded-redis.js'
import { type Daemon, startDaemon } from './daemon.js'
import { redisForTests } from './redis.js'
import { until } from './running-processes.js'
import { scratchDirectory } from './scratch-directory.js'
import { stablePort } from './stable-port.js'

/** Two Redis, of which one copies the other, and three Sentinels that watch over them, each a process of its own. */
export type WatchedRedis = {
  /** By the Sentinels, with all passwords. */
  readonly url: string
  /** The one that is the master at first, and the one that copies it. */
  readonly first: Redis
  readonly second: Redis
  readonly sentinels: readonly Daemon[]
  /** The port of the master, as the Sentinels have it. */
  master(): Promise<number>
  close(): Promise<void>
}

const NAME = 'countersign'
const DOWN_AFTER_MILLIS = 500

export async function startWatchedRedis(): Promise<WatchedRedis> {
  const scratch = await scratchDirectory()
  const closing = new Closing()
  closing.add(() => scratch.remove())
  try {
    const program = await redisForTests()
    const [password, sentinelPassword] = [randomBytes(16).toString('base64url'), randomBytes(16).toString('base64url')]
    const redis = async (name: string): Promise<Redis> => {
      const started = await startRedis({ program, dataDir: join(scratch.path, name), port: await stablePort(), password, log: () => undefined })
      closing.add(() => started.stop())
      await withClient({ port: started.port, password }, (client) => client.config('SET', 'masterauth', password))
      return started
    }
    const [first, second] = [await redis('first'), await redis('second')]
    await withClient({ port: second.port, password }, (client) => client.replicaof('127.0.0.1', first.port))
    // A Sentinel asks when it starts, and then only every ten seconds.
    await until(() => withClient({ port: second.port, password }, async (client) => (await client.info('replication')).includes('master_link_status:up')))
    const ports = [await stablePort(), await stablePort(), await stablePort()]
    const sentinels: Daemon[] = []
    for (const port of ports) {
      const folder = join(scratch.path, `sentinel-${port}`)
      await mkdir(folder)
      await writeFile(join(folder, 'sentinel.conf'), configuration({ port, watched: first.port, password, sentinelPassword }))
      const sentinel = await startDaemon({ command: [program, join(folder, 'sentinel.conf'), '--sentinel'], cwd: folder, ready: /\+monitor master/ })
      closing.add(() => sentinel.stop())
      sentinels.push(sentinel)
    }
    const ask = <T>(port: number, question: (client: Client) => Promise<T>) => withClient({ port, password: sentinelPassword }, question)
    for (const port of ports) await until(() => ask(port, isReadyToFailOver))
    const places = ports.map((port) => `127.0.0.1:${port}`).join()
    return {
      url: `redis+sentinel://:${password}@${places}/${NAME}?sentinel_password=${sentinelPassword}`,
      first,
      second,
      sentinels,
      master: () => ask(ports[0] ?? 0, async (client) => Number((await addressOf(client))[1])),
      close: () => closing.close(),
    }
  } catch (error) {
    await closing.close()
    throw error
  }
}

const configuration = ({ port, watched, password, sentinelPassword }: { port: number; watched: number; password: string; sentinelPassword: string }): string => `
bind 127.0.0.1
port ${port}
requirepass ${sentinelPassword}
sentinel sentinel-pass ${sentinelPassword}
sentinel monitor ${NAME} 127.0.0.1 ${watched} 2
sentinel auth-pass ${NAME} ${password}
sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MILLIS}
sentinel failover-timeout ${NAME} 3000
`

async function addressOf(client: Client): Promise<readonly string[]> {
  const answer: unknown = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)
  return Array.isArray(answer) ? answer.map(String) : []
}

/** It knows the others, and a copy that is whole. */
async function isReadyToFailOver(client: Client): Promise<boolean> {
  const replicas = JSON.stringify(await client.call('SENTINEL', 'REPLICAS', NAME))
  const quorum = await client.call('SENTINEL', 'CKQUORUM', NAME).then(String, () => '')
  return replicas.includes('"master-link-status","ok"') && quorum.startsWith('OK 3 usable')
}

async function withClient<T>({ port, password }: { port: number; password: string }, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ port, host: '127.0.0.1', password, enableReadyCheck: false, disableClientInfo: true })
  try {
    return await work(client)
  } finally {
    client.disconnect()
  }
}
