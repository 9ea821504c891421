import type { Redis } from 'ioredis'
import { messageOf } from '#libs/causes.js'
import { monotonicMillis } from '#libs/clock.js'
import type { Log } from '#libs/log.js'
import { connectionProblem } from '#libs/store-tls.js'
import { type Breaker, createBreaker } from './breaker.js'
import { connectRedis } from './connect.js'
import type { KeyValueStore } from './key-value.js'
import { oneWritePerTurn } from './one-write-per-turn.js'
import type { RedisPlace } from './place.js'
import { createSubscriptions } from './subscriptions.js'

export type RedisStoreOptions = RedisPlace & { readonly log: Log; readonly commandWithinMillis?: number }

const ANSWERS = { down: 'Redis does not answer: everything is asked of its owner', up: 'Redis answers again' }
const TAKES_WRITES = { down: 'Redis takes no writes: what it does not hold yet is asked of its owner', up: 'Redis takes writes again' }

// Of an error only the message is ever said: beside it stands the command with all that was in it, passwords included.
const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError'

/** Redis or Valkey behind the port. It connects by itself, at once or when there is something to connect to. */
export function redisStore({ log, commandWithinMillis, ...place }: RedisStoreOptions): KeyValueStore {
  const now = monotonicMillis
  const answers = createBreaker({ now, log, words: ANSWERS })
  const takesWrites = createBreaker({ now, log, words: TAKES_WRITES })
  const connection = connectRedis(place, now, commandWithinMillis)
  const { redis } = connection
  redis.on('error', (error: Error) => answers.failed(connectionProblem(error)))
  redis.on('ready', () => answers.worked())
  const subscriptions = createSubscriptions(() => connectRedis(place, now))
  const mayTry = mayTryOn(redis, answers)
  return {
    async get(keys) {
      if (keys.length > 0 && mayTry()) {
        try {
          // One key too: GET fails on a value of another type, where MGET finds nothing.
          const found = await redis.mgetBuffer(...keys)
          answers.worked()
          return found.map((value) => value ?? undefined)
        } catch (error) {
          answers.failed(messageOf(error))
        }
      }
      return keys.map(() => undefined)
    },
    async set(key, value, ttlMillis) {
      if (!(ttlMillis >= 1) || !takesWrites.mayTry() || !mayTry()) return
      try {
        await redis.set(key, value, 'PX', Math.floor(ttlMillis))
        answers.worked()
        takesWrites.worked()
      } catch (error) {
        if (isRefusal(error)) takesWrites.failed(messageOf(error))
        else answers.failed(messageOf(error))
      }
    },
    publish(channel, message) {
      if (mayTry()) redis.publish(channel, message).catch((error: unknown) => answers.failed(messageOf(error)))
    },
    listen: (channel, onMessage) => subscriptions.listen(channel, onMessage),
    isUp: () => redis.status === 'ready' && answers.isUp(),
    close() {
      subscriptions.close()
      connection.close()
      for (const breaker of [answers, takesWrites]) breaker.close()
      return Promise.resolve()
    },
  }
}

/** Whether a command may be given now. */
function mayTryOn(redis: Redis, answers: Breaker): () => boolean {
  const hold = oneWritePerTurn(redis)
  return () => {
    if (redis.status !== 'ready' || !answers.mayTry()) return false
    hold()
    return true
  }
}
