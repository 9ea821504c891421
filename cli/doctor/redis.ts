import type { Redis } from 'ioredis'
import { wallMillis } from '#libs/clock.js'
import type { NamedKey } from '#libs/env.js'
import { redisClient } from '#libs/redis/connect.js'
import type { RedisPlace } from '#libs/redis/place.js'
import { sealedUnder } from '#libs/redis/sealed.js'
import { failure, type Finding, firstLineOf, notLookedAt, ok, skewFinding, warning } from './finding.js'

// Redis is a cache: without it everything is right and slower. What matters is that it is there, forgets what is old, and that
// what the services keep there is sealed under keys that all of them have.

type Given = { readonly place: RedisPlace | undefined; readonly macKeys: readonly NamedKey[] | undefined }

const WITHIN_MILLIS = 3_000
const ENTRIES = 200

export async function redisFindings({ place, macKeys }: Given): Promise<Finding[]> {
  if (place === undefined) return [notLookedAt('Redis', { seen: 'its address is not known', advice: 'set REDIS_URL (or _FILE); services without one are right, and slower' })]
  const host = place.url.replace(/^[^:]+:\/\/([^@/]*@)?/, '').replace(/\?.*$/, '')
  const redis = redisClient(place, { lazyConnect: true, connectTimeout: WITHIN_MILLIS, commandTimeout: WITHIN_MILLIS, maxRetriesPerRequest: 0, retryStrategy: () => null, disableClientInfo: true })
  let problem: unknown
  redis.on('error', (error) => (problem ??= error))
  try {
    await redis.connect()
    const info = fields(await redis.info())
    return [ok('Redis', `${host} answers, version ${info.get('valkey_version') ?? info.get('redis_version') ?? 'unknown'}`), ...(await lookInside(redis, info)), await sealFinding(redis, macKeys)]
  } catch (error) {
    return [failure('Redis', connectionFlaw(host, problem ?? error))]
  } finally {
    redis.disconnect()
  }
}

function connectionFlaw(host: string, error: unknown): { seen: string; advice: string } {
  const seen = `${host}: ${firstLineOf(error)}`
  if (/WRONGPASS|NOAUTH|NOPERM/.test(seen)) return { seen, advice: 'correct user or password in REDIS_URL, here and of the services' }
  return { seen, advice: `see whether Redis runs on ${host} and lets this machine in; meanwhile checks are right, and slower` }
}

async function lookInside(redis: Redis, info: ReadonlyMap<string, string>): Promise<Finding[]> {
  const asked = wallMillis()
  const [seconds = 0, micros = 0] = (await redis.time()).map(Number)
  const skew = skewFinding('clock, Redis', 'Redis', { asked, theirs: seconds * 1000 + micros / 1000, answered: wallMillis() })
  return [memoryFinding(info), roleFinding(info), persistenceFinding(info), skew]
}

function memoryFinding(info: ReadonlyMap<string, string>): Finding {
  const [policy = 'unknown', limit = '0'] = [info.get('maxmemory_policy'), info.get('maxmemory')]
  const check = 'Redis memory'
  if (limit === '0') return warning(check, { seen: `no limit (maxmemory 0, ${policy})`, advice: 'set maxmemory and maxmemory-policy allkeys-lru: a cache must not take the machine' })
  if (policy === 'noeviction') return warning(check, { seen: 'maxmemory-policy is noeviction: once it is full nothing new is cached', advice: 'set maxmemory-policy allkeys-lru' })
  return ok(check, `at most ${info.get('maxmemory_human') ?? limit}, maxmemory-policy ${policy}`)
}

function roleFinding(info: ReadonlyMap<string, string>): Finding {
  const role = info.get('role') ?? 'unknown'
  if (role === 'master') return ok('Redis role', 'takes writes')
  return warning('Redis role', { seen: `it is a ${role}: nothing can be cached there`, advice: 'let REDIS_URL lead to the master, also after a failover' })
}

function persistenceFinding(info: ReadonlyMap<string, string>): Finding {
  const isKept = info.get('aof_enabled') === '1'
  if (info.get('rdb_last_bgsave_status') === 'err') return warning('Redis persistence', { seen: 'its last snapshot failed, and it may refuse writes for that', advice: 'give it disk space, or set save "": a cache needs no snapshot' })
  return ok('Redis persistence', isKept ? 'it keeps an append-only file, which a cache does not need and which does no harm' : 'no append-only file, as a cache should be')
}

/** What is in it says under which key it was sealed; the key itself is nowhere. */
async function sealFinding(redis: Redis, macKeys: readonly NamedKey[] | undefined): Promise<Finding> {
  const check = 'MAC keys'
  const ids = await idsOfKeys(redis)
  const known = macKeys?.map(({ id }) => id)
  const strange = known === undefined ? [] : ids.filter((id) => !known.includes(id))
  const advice = 'give auth-exchange and authorization-check the same REDIS_MAC_KEYS: an entry under an unknown key is a miss'
  if (known !== undefined && strange.length > 0) return warning(check, { seen: `entries are sealed under ${strange.join(', ')}, and REDIS_MAC_KEYS names ${known.join(', ')}`, advice })
  if (ids.length > 0) return ok(check, `entries are sealed under ${ids.join(', ')}`)
  if (known !== undefined) return ok(check, `REDIS_MAC_KEYS names ${known.join(', ')}; nothing is kept there at the moment`)
  return notLookedAt(check, { seen: 'no entry in Redis shows whether the services have any', advice: 'set REDIS_MAC_KEYS as the services have it; without it they keep nothing in Redis' })
}

async function idsOfKeys(redis: Redis): Promise<string[]> {
  const ids = new Set<string>()
  // Names of entries begin with their owner's; anything else there is somebody else's.
  const [, keys] = await redis.scan('0', 'MATCH', '*:*:v*:*', 'COUNT', ENTRIES)
  for (const key of keys) {
    const value = await redis.getBuffer(key).catch(() => null)
    const id = value && sealedUnder(value)
    if (id) ids.add(id)
  }
  return [...ids].sort()
}

const fields = (info: string): Map<string, string> => new Map(info.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
