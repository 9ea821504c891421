import { authorizationBy } from '#libs/authorization.js'
import { type Clock, databaseClock } from '#libs/clock.js'
import { ownedFeed } from '#libs/freshness/owned-feed.js'
import { createIds } from '#libs/ids.js'
import { type App, Closing, nowAndEvery } from '#libs/lifecycle.js'
import type { Log } from '#libs/log.js'
import { createMetrics, openMetrics } from '#libs/metrics/metrics.js'
import { connectDatabase, databaseOf, keepDatabaseTime } from '#libs/postgres/database.js'
import { schemaIsThere } from '#libs/postgres/schema-gate.js'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import { redisOf } from '#libs/redis/redis-of.js'
import { changeFeedService } from '#libs/rpc/change-feed.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { type Listener, listenersOf } from '#libs/rpc/listeners.js'
import { internalAdapter, serviceCallers } from '#libs/rpc/service-credential.js'
import { transportOf } from '#libs/rpc/transport.js'
import { ChangeFeedServiceService } from '#libs/wire/gen/countersign/feed/v1/change_feed.js'
import { IdentityRegistryServiceService } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { RegistryInternalServiceService } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Config } from './config.js'
import { KEEP_PARTITIONS_EVERY_MILLIS, keepAuditPartitions } from './jobs/keep-partitions.js'
import { registryInternalService } from './rpc/internal.js'
import { registryService } from './rpc/service.js'
import { migrations } from './store/migrations.js'
import type { RegistrySchema } from './store/schema.js'

export type Outside = {
  readonly log: Log
  /** Where authorization-check is, when that is known only after this service listens. */
  readonly checkAddress?: () => string
  /** In place of the database's time. */
  readonly clock?: Clock
  /** In place of the store at REDIS_URL. */
  readonly store?: KeyValueStore
}

export type Addresses = { readonly port: number; readonly internalPort: number }

const NAME = 'identity-registry'

export function createApp(config: Config, { log, checkAddress = () => config.CHECK_ADDRESS, clock: given, store: givenStore }: Outside): App<Addresses> {
  const transport = transportOf(config, log, { host: config.INTERNAL_HOST, variable: 'INTERNAL_HOST' })
  const metrics = createMetrics()
  const database = { ...databaseOf(config, log), schema: 'registry' }
  const db = connectDatabase<RegistrySchema>({ ...database, watch: (connections) => metrics.pool('public', connections) })
  // Its own pool, so that a flood of public calls can't keep a check from being answered.
  const internalDb = connectDatabase<RegistrySchema>({ ...database, watch: (connections) => metrics.pool('internal', connections) })
  const databaseTime = databaseClock()
  const clock = given ?? databaseTime
  const ids = createIds(clock)
  const store = metrics.store(NAME, givenStore ?? redisOf(config, log))
  const feed = ownedFeed({ name: 'registry', db, internalDb, database, ids, clock: given, store })
  const checkService = createRpcClient({
    address: checkAddress,
    credentials: transport.client,
    serviceCredential: config.SERVICE_CREDENTIAL,
    idempotentServices: ['countersign.authorization.v1.AuthorizationCheckService'],
  })
  const authorization = authorizationBy(checkService)
  const callers = serviceCallers(config.INTERNAL_CALLERS)
  const forServices: Listener = {
    address: { host: config.INTERNAL_HOST, port: config.REGISTRY_INTERNAL_PORT },
    portVariable: 'REGISTRY_INTERNAL_PORT',
    callers: 'known',
    services: (unary, lockstep) => {
      const internal = internalAdapter(unary, callers)
      return [
        [RegistryInternalServiceService, registryInternalService(internal, { db: internalDb, waitingDb: db, feed: feed.internalChanges, ids, clock })],
        [ChangeFeedServiceService, changeFeedService({ lockstep, callers, feeds: { registry: feed.pulls } })],
      ]
    },
  }
  const forEverybody: Listener = {
    address: { host: config.HOST, port: config.REGISTRY_PORT },
    portVariable: 'REGISTRY_PORT',
    callers: 'anybody',
    services: (unary) => [[IdentityRegistryServiceService, registryService(unary, { db, authorization, feed: feed.changes, ids, clock })]],
  }
  const listeners = listenersOf([forServices, forEverybody], { config, log, transport, metrics })

  const closing = new Closing()
  closing.add(() => db.destroy())
  closing.add(() => internalDb.destroy())
  closing.add(() => feed.close())
  closing.add(() => checkService.close())
  closing.add(() => transport.close())
  closing.add(() => (givenStore ? undefined : store?.close()))
  const failed = (job: string) => (error: unknown) => log.error({ err: error }, `${job} failed`)
  return {
    listen: async () => {
      closing.add(await openMetrics(metrics, config, transport.certificates))
      closing.add(() => listeners.close())
      await listeners.listenForProbes()
      await schemaIsThere({ db, schema: 'registry', migrations, mode: config.MIGRATIONS, log, isLeaving: () => closing.hasBegun })
      closing.add(await keepDatabaseTime(internalDb, databaseTime, failed('observing the time')))
      await feed.open(config.STALENESS_BOUND_MILLIS, failed('forgetting old changes'))
      closing.add(await nowAndEvery(KEEP_PARTITIONS_EVERY_MILLIS, keepAuditPartitions(internalDb, clock, config.AUDIT_RETENTION_DAYS), failed('keeping partitions')))
      const [internalPort = 0, port = 0] = await listeners.listen()
      listeners.setReady()
      return { port, internalPort }
    },
    close: () => closing.close(),
  }
}
