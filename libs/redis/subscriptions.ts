import type { Redis } from 'ioredis'
import type { Connection } from './connect.js'

export type Subscriptions = {
  listen(channel: string, onMessage: (message: string) => void): void
  close(): void
}

// Nothing may come for hours: only an answer that is due and does not come shows that the other side is gone.
const HEARTBEAT_MILLIS = 1_000

/** Listens on a connection of its own, since one that listens serves for nothing else; it is made at the first channel. */
export function createSubscriptions(connect: () => Connection): Subscriptions {
  const listeners = new Map<string, ((message: string) => void)[]>()
  let connection: Connection | undefined
  let heartbeat: NodeJS.Timeout | undefined
  const start = (): Connection => {
    const started = connect()
    const { redis } = started
    // It comes back by itself, and the commands' connection says what is wrong.
    redis.on('error', () => undefined)
    redis.on('ready', () => subscribe(redis, [...listeners.keys()]))
    redis.on('message', (channel, message) => {
      for (const listener of listeners.get(channel) ?? []) listener(message)
    })
    heartbeat = setInterval(() => {
      if (redis.status === 'ready') redis.ping().catch(() => undefined)
    }, HEARTBEAT_MILLIS).unref()
    return started
  }
  return {
    listen(channel, onMessage) {
      const others = listeners.get(channel)
      listeners.set(channel, [...(others ?? []), onMessage])
      connection ??= start()
      if (others === undefined && connection.redis.status === 'ready') subscribe(connection.redis, [channel])
    },
    close() {
      clearInterval(heartbeat)
      listeners.clear()
      connection?.close()
    },
  }
}

// A subscription that is not confirmed is made anew, on a new connection.
function subscribe(redis: Redis, channels: readonly string[]): void {
  redis.subscribe(...channels).catch(() => redis.disconnect(true))
}
