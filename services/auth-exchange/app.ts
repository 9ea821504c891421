import { authorizationBy } from '#libs/authorization.js'
import { type Clock, databaseClock, momentNow } from '#libs/clock.js'
import { follow } from '#libs/freshness/follow.js'
import { keepPulling } from '#libs/freshness/keep-pulling.js'
import { ownedFeed } from '#libs/freshness/owned-feed.js'
import { createIds } from '#libs/ids.js'
import { type App, Closing, type Job, nowAndEvery } from '#libs/lifecycle.js'
import type { Log } from '#libs/log.js'
import { createMetrics, openMetrics } from '#libs/metrics/metrics.js'
import { connectDatabase, databaseOf, keepDatabaseTime } from '#libs/postgres/database.js'
import { schemaIsThere } from '#libs/postgres/schema-gate.js'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import { redisOf } from '#libs/redis/redis-of.js'
import { changeFeedService, remoteFeed } from '#libs/rpc/change-feed.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { type Listener, listenersOf } from '#libs/rpc/listeners.js'
import { internalAdapter, serviceCallers } from '#libs/rpc/service-credential.js'
import { transportOf } from '#libs/rpc/transport.js'
import { ChangeFeedServiceService } from '#libs/wire/gen/countersign/feed/v1/change_feed.js'
import { ExchangeInternalServiceService } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { sharedActiveTokens } from './cache/active-tokens.js'
import { cachedIdentities } from './cache/cached-identities.js'
import type { Config } from './config.js'
import { failureTallies } from './domain/login-failures.js'
import { loginThrottle } from './domain/throttle.js'
import { KEEP_PARTITIONS_EVERY_MILLIS, keepExchangePartitions } from './jobs/keep-partitions.js'
import { KEEP_SIGNING_KEYS_EVERY_MILLIS, keepSigningKeys, rotationSchedule } from './jobs/keep-signing-keys.js'
import { PURGE_WRAPPED_SECRETS_EVERY_MILLIS, purgeWrappedSecrets } from './jobs/purge-wrapped-secrets.js'
import { RESEAL_CONFIGURATIONS_EVERY_MILLIS, resealConfigurations } from './jobs/reseal-configurations.js'
import { WRITE_LOGIN_FAILURES_EVERY_MILLIS, writeLoginFailures } from './jobs/write-login-failures.js'
import { authMethods } from './methods/auth-methods.js'
import { secretHasher } from './methods/universal/secret-hasher.js'
import { remoteCoverage } from './peers/coverage.js'
import { remoteIdentities } from './peers/identities.js'
import { exchangeInternalService } from './rpc/internal.js'
import { loginAttempts } from './rpc/login-attempts.js'
import { exchangeDefinition, exchangeService } from './rpc/service.js'
import { tokenSigner } from './signing/jwt.js'
import { configurationSeal } from './signing/sealed-configuration.js'
import { keyring } from './signing/keys.js'
import { migrations } from './store/migrations.js'
import { standingsIn } from './store/access-tokens.js'
import { loginLedger } from './store/login-ledger.js'
import type { ExchangeSchema } from './store/schema.js'

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

const NAME = 'auth-exchange'

export function createApp(config: Config, { log, checkAddress = () => config.CHECK_ADDRESS, clock: given, store: givenStore }: Outside): App<Addresses> {
  const transport = transportOf(config, log, { host: config.INTERNAL_HOST, variable: 'INTERNAL_HOST' })
  const metrics = createMetrics()
  const database = { ...databaseOf(config, log), schema: 'exchange' }
  const db = connectDatabase<ExchangeSchema>({ ...database, watch: (connections) => metrics.pool('public', connections) })
  // Its own pool, so that a flood of logins can't keep a check from being answered.
  const internalDb = connectDatabase<ExchangeSchema>({ ...database, watch: (connections) => metrics.pool('internal', connections) })
  const databaseTime = databaseClock()
  const clock = given ?? databaseTime
  const ids = createIds(clock)
  const store = metrics.store(NAME, givenStore ?? redisOf(config, log))
  const feed = ownedFeed({ name: 'exchange', db, internalDb, database, ids, clock: given, store })
  const shown = { credentials: transport.client, serviceCredential: config.SERVICE_CREDENTIAL }
  const checkService = createRpcClient({ address: checkAddress, ...shown, idempotentServices: ['countersign.authorization.v1.AuthorizationCheckService'] })
  const registry = createRpcClient({ address: config.REGISTRY_INTERNAL_ADDRESS, ...shown, idempotentServices: ['countersign.registry.v1.RegistryInternalService'] })
  const registryFeed = follow({ name: 'registry', now: momentNow, pull: remoteFeed(registry, 'registry'), on: metrics.pulls(NAME, 'registry') })
  metrics.follow(NAME, registryFeed, momentNow)
  const identities = cachedIdentities({ feed: registryFeed, now: momentNow, ask: remoteIdentities(registry) })
  const keys = keyring({ db: internalDb, encryptions: config.KEY_ENCRYPTION_KEY })
  const rotation = keepSigningKeys({ feed: feed.internalChanges, keys, schedule: rotationSchedule(config), ids, clock, log })
  metrics.moment('signing_key_create_time', () => keys.createTime())
  const signer = tokenSigner({ keys, clock, issuer: config.TOKEN_ISSUER, audience: config.TOKEN_AUDIENCE })
  const hasher = secretHasher(config.PEPPERS[0])
  const [throttle, tallies] = [loginThrottle(), failureTallies()]
  const logins = { throttle, attempts: loginAttempts({ throttle, tallies, clock, onFailure: metrics.loginFailures() }), ledger: loginLedger(db), standings: standingsIn(db) }
  const writeFailures = writeLoginFailures(internalDb, { tallies, ids })
  const callers = serviceCallers(config.INTERNAL_CALLERS)
  const seal = configurationSeal(config.KEY_ENCRYPTION_KEY)
  const methods = authMethods({ db, clock, hasher, peppers: config.PEPPERS, allowedNetworks: config.OUTBOUND_ALLOWED_NETWORKS, seal })
  const onLogin = { ...methods, activeTokens: sharedActiveTokens(store, config.REDIS_MAC_KEYS), callers }
  const forEverybody: Listener = {
    address: { host: config.HOST, port: config.EXCHANGE_PORT },
    portVariable: 'EXCHANGE_PORT',
    callers: 'anybody',
    services: (unary) => [[exchangeDefinition, exchangeService(unary, { ...logins, ...onLogin, authorization: authorizationBy(checkService), coverage: remoteCoverage(registry), db, identities, hasher, signer, feed: feed.changes, ids, clock })]],
  }
  const forServices: Listener = {
    address: { host: config.INTERNAL_HOST, port: config.EXCHANGE_INTERNAL_PORT },
    portVariable: 'EXCHANGE_INTERNAL_PORT',
    callers: 'known',
    services: (unary, lockstep) => {
      const internal = internalAdapter(unary, callers)
      return [
        [ExchangeInternalServiceService, exchangeInternalService(internal, { db: internalDb, standings: standingsIn(internalDb), feed: feed.internalChanges, signer, hasher, rotation, ids, clock })],
        [ChangeFeedServiceService, changeFeedService({ lockstep, callers, feeds: { exchange: feed.pulls } })],
      ]
    },
  }
  const jobs: readonly Job[] = [
    { name: 'keeping partitions', everyMillis: KEEP_PARTITIONS_EVERY_MILLIS, work: keepExchangePartitions(internalDb, clock, config.AUDIT_RETENTION_DAYS) },
    { name: 'keeping signing keys', everyMillis: KEEP_SIGNING_KEYS_EVERY_MILLIS, work: rotation.keep },
    { name: 'writing failed logins', everyMillis: WRITE_LOGIN_FAILURES_EVERY_MILLIS, work: writeFailures },
    { name: 'encrypting configurations anew', everyMillis: RESEAL_CONFIGURATIONS_EVERY_MILLIS, work: resealConfigurations(internalDb, seal) },
    { name: 'purging wrapped secrets', everyMillis: PURGE_WRAPPED_SECRETS_EVERY_MILLIS, work: purgeWrappedSecrets(internalDb, clock) },
  ]
  const listeners = listenersOf([forServices, forEverybody], { config, log, transport, metrics })
  const closing = new Closing()
  for (const opened of [db, internalDb]) closing.add(() => opened.destroy())
  for (const opened of [feed, registry, checkService, transport]) closing.add(() => opened.close())
  closing.add(() => (givenStore ? undefined : store?.close()))
  const failed = (job: string) => (error: unknown) => log.error({ err: error }, `${job} failed`)
  return {
    listen: async () => {
      closing.add(await openMetrics(metrics, config, transport.certificates))
      // Pulls go on until the last call is answered.
      closing.add(keepPulling(registryFeed, store, failed('pulling the registry feed')))
      // What failed until the last call was answered.
      closing.add(writeFailures)
      closing.add(() => listeners.close())
      await listeners.listenForProbes()
      await schemaIsThere({ db, schema: 'exchange', migrations, mode: config.MIGRATIONS, log, isLeaving: () => closing.hasBegun })
      closing.add(await keepDatabaseTime(internalDb, databaseTime, failed('observing the time')))
      await feed.open(config.STALENESS_BOUND_MILLIS, failed('forgetting old changes'))
      for (const { name, everyMillis, work } of jobs) closing.add(await nowAndEvery(everyMillis, work, failed(name)))
      const [internalPort = 0, port = 0] = await listeners.listen()
      listeners.setReady()
      return { port, internalPort }
    },
    close: () => closing.close(),
  }
}
