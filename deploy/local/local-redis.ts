import { join } from 'node:path'
import { destination } from 'pino'
import type { Closing } from '#libs/lifecycle.js'
import { sentinelsIn } from '#libs/redis/redis-url.js'
import type { DataFolder } from './data-folder.js'
import { startRedis } from './embedded-redis.js'
import { findRedis, type Search } from './find-redis.js'

export type LocalRedis = {
  /** Absent where there is none: the services then share a store in their process. */
  readonly url: string | undefined
  /** For the banner. */
  readonly description: string
}

type Options = Pick<Search, 'environment' | 'say'> & { readonly closing: Closing }

const NONE: LocalRedis = { url: undefined, description: 'none: cached in this process' }
const WITHOUT =
  'Warning: there is no Redis. The services cache in their own process instead, which several processes could not share. Install redis-server or valkey-server, or set REDIS_URL, to run as in production.'

/** The Redis of REDIS_URL, or one that is started and ends with us. None is no failure: it is only a cache. */
export async function provideRedis(folder: DataFolder, { environment, closing, say }: Options): Promise<LocalRedis> {
  const found = await findRedis({ environment, unpackTo: join(folder.redis, 'program'), say })
  if (found === undefined) {
    say(WITHOUT)
    return NONE
  }
  if ('url' in found) return { url: found.url, description: `${hostOf(found.url)} (REDIS_URL)` }
  const logFile = join(folder.logs, 'redis.log')
  const log = destination({ dest: logFile, sync: true })
  try {
    const redis = await startRedis({ program: found.program, dataDir: join(folder.redis, 'run'), log: (line) => void log.write(`${line}\n`) })
    let stopping = false
    void redis.exited.then(() => {
      if (!stopping) say(`Redis ended by itself; everything goes on without it, slower. ${logFile} may say why; the next start starts it again.`)
    })
    closing.add(() => {
      stopping = true
      return redis.stop()
    })
    return { url: redis.url, description: `127.0.0.1:${redis.port}` }
  } catch (error) {
    say(`Redis does not start (${error instanceof Error ? error.message : String(error)}).`)
    say(WITHOUT)
    return NONE
  }
}

// It may hold a password.
function hostOf(url: string): string {
  const sentinels = sentinelsIn(url)
  if (sentinels) return `${sentinels.name}, by Sentinel`
  return URL.canParse(url) ? new URL(url).host : 'an address that is not a URL'
}
