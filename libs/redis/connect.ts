import { Redis, type RedisOptions } from 'ioredis'
import { connectorBy } from './connector.js'
import { COMMAND_WITHIN_MILLIS } from './key-value.js'
import type { RedisPlace } from './place.js'
import { placeIn, sentinelsIn } from './redis-url.js'
import { masterBy } from './sentinels.js'

const CONNECT_WITHIN_MILLIS = 1_000
const RECONNECT_AT_LATEST_MILLIS = 1_000
// Without a byte for so long while one is due, the other side is gone, whatever the kernel thinks of the connection.
const SILENT_AT_MOST_MILLIS = 1_000
// One that does not even close is not waited for: until it has, no new connection is tried.
const CLOSE_WITHIN_MILLIS = 200
const KEEP_ALIVE_MILLIS = 10_000
const READ_ONLY_RECONNECT_MILLIS = 2_000

export type Connection = { readonly redis: Redis; close(): void }

/**
 * A connection that is made at once, and again whenever it is lost. A command on it fails within COMMAND_WITHIN_MILLIS, is
 * never queued while there is no connection, and never sent twice. It is `ready` once Redis has answered on it.
 */
export function connectRedis(place: RedisPlace, now: () => number, commandWithinMillis = COMMAND_WITHIN_MILLIS): Connection {
  let lastReadOnly = -Infinity
  const redis = redisClient(place, {
    connectTimeout: CONNECT_WITHIN_MILLIS,
    commandTimeout: commandWithinMillis,
    socketTimeout: SILENT_AT_MOST_MILLIS,
    keepAlive: KEEP_ALIVE_MILLIS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // It would forget a subscription whose confirmation was lost, and leave its failure to nobody.
    autoResubscribe: false,
    disableClientInfo: true,
    retryStrategy: (attempt) => Math.min(attempt * 50, RECONNECT_AT_LATEST_MILLIS),
    // After a failover the name may lead elsewhere; now and then only, since it may also stay a replica, which still answers.
    reconnectOnError(error) {
      if (!error.message.startsWith('READONLY') || now() - lastReadOnly < READ_ONLY_RECONNECT_MILLIS) return false
      lastReadOnly = now()
      return true
    },
  })
  let again: NodeJS.Timeout | undefined
  // There are ways in which ioredis gives a connection up for good, as when it is lost while it is being made.
  const onEnd = () => {
    again = setTimeout(() => void redis.connect().catch(() => undefined), RECONNECT_AT_LATEST_MILLIS).unref()
  }
  redis.on('end', onEnd)
  return {
    redis,
    close() {
      redis.off('end', onEnd)
      clearTimeout(again)
      redis.disconnect()
    },
  }
}

/** A client of ioredis that finds its Redis as the URL says. */
export function redisClient({ url, tls }: RedisPlace, options: RedisOptions): Redis {
  const sentinels = sentinelsIn(url)
  const byTls = tls && { tls }
  if (!sentinels) {
    const place = placeIn(url)
    return new Redis(url, { ...options, ...byTls, Connector: connectorBy({ tls, find: () => place, closeWithinMillis: CLOSE_WITHIN_MILLIS }) })
  }
  const { username, password } = sentinels
  const Connector = connectorBy({ tls, find: () => masterBy(sentinels, tls), mustBeMaster: true, closeWithinMillis: CLOSE_WITHIN_MILLIS })
  return new Redis({ ...options, ...byTls, Connector, ...(username !== undefined && { username }), ...(password !== undefined && { password }) })
}
