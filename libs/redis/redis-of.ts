import type { Log } from '#libs/log.js'
import type { KeyValueStore } from './key-value.js'
import { type RedisConfig, redisPlace } from './place.js'

/** The store that a service's environment names, if it does. A process without one, as a sidecar, never loads the client: 10 MB. */
export function redisOf(config: RedisConfig, log: Log): KeyValueStore | undefined {
  const place = redisPlace(config, log)
  return place && onceLoaded(import('./redis-store.js').then(({ redisStore }) => redisStore({ ...place, log })))
}

/** Until it is loaded, it is a store that does not answer. */
function onceLoaded(loading: Promise<KeyValueStore>): KeyValueStore {
  let store: KeyValueStore | undefined
  const loaded = loading.then((ready) => (store = ready))
  return {
    get: (keys) => (store ? store.get(keys) : Promise.resolve(keys.map(() => undefined))),
    set: async (key, value, ttlMillis) => store?.set(key, value, ttlMillis),
    publish: (channel, message) => store?.publish(channel, message),
    listen: (channel, onMessage) => void loaded.then((ready) => ready.listen(channel, onMessage)),
    isUp: () => store?.isUp() ?? false,
    close: async () => (await loaded).close(),
  }
}
