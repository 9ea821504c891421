import { momentNow, systemClock } from '#libs/clock.js'
import { isLoopback } from '#libs/env.js'
import { demandsOn } from '#libs/freshness/consistency.js'
import { type FeedName, FEEDS } from '#libs/freshness/entities.js'
import { keepPulling } from '#libs/freshness/keep-pulling.js'
import { relayedFeed } from '#libs/freshness/relay.js'
import { createIds } from '#libs/ids.js'
import { type App, Closing } from '#libs/lifecycle.js'
import { createMetrics, openMetrics } from '#libs/metrics/metrics.js'
import type { Log } from '#libs/log.js'
import { batchedReads } from '#libs/redis/batched-reads.js'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import { redisOf } from '#libs/redis/redis-of.js'
import { sealer } from '#libs/redis/sealed.js'
import { remoteFeed } from '#libs/rpc/change-feed.js'
import { createRpcClient, type RpcClient } from '#libs/rpc/client.js'
import { type Listener, listenersOf } from '#libs/rpc/listeners.js'
import { serviceCallers } from '#libs/rpc/service-credential.js'
import { transportOf } from '#libs/rpc/transport.js'
import { cachedGrants } from './cache/cached-grants.js'
import { cachedPrincipals } from './cache/cached-principals.js'
import { cachedRoles } from './cache/cached-roles.js'
import { cachedTokens } from './cache/cached-tokens.js'
import type { Config } from './config.js'
import { remoteGrants } from './peers/grants.js'
import { remotePrincipals } from './peers/principals.js'
import { remoteRoles } from './peers/roles.js'
import { remoteTokens } from './peers/tokens.js'
import { ASKED_ONCE, remoteUses } from './peers/uses.js'
import { askerOf } from './rpc/caller.js'
import { decidingBy } from './rpc/deciding.js'
import { gathering } from './rpc/gather.js'
import { judgeBy } from './rpc/judge.js'
import { relayListener } from './rpc/relay.js'
import { compiledRoutes } from './rpc/routes.js'
import { rulingBy } from './rpc/ruling.js'
import { checkDefinition, checkService, envoyDefinition, envoyService } from './rpc/service.js'

export type Outside = {
  readonly log: Log
  /** In place of the store at REDIS_URL. */
  readonly store?: KeyValueStore
}

/** `port` is 0 where the service listens on a Unix socket, `relayPort` where it is no relay. */
export type Addresses = { readonly port: number; readonly relayPort: number }

const NAME = 'authorization-check'

const MEGABYTE = 1024 * 1024

export function createApp(config: Config, { log, store: givenStore }: Outside): App<Addresses> {
  const transport = transportOf(config, log, config.RELAY_PORT === undefined ? undefined : { host: config.HOST, variable: 'RELAY_PORT' })
  const shown = { credentials: transport.client, serviceCredential: config.SERVICE_CREDENTIAL }
  const registry = createRpcClient({ address: config.REGISTRY_INTERNAL_ADDRESS, ...shown, idempotentServices: ['countersign.registry.v1.RegistryInternalService'] })
  const exchange = createRpcClient({ address: config.EXCHANGE_INTERNAL_ADDRESS, ...shown, idempotentServices: ['countersign.exchange.v1.ExchangeInternalService'], onceOnly: ASKED_ONCE })
  const metrics = createMetrics()
  const store = metrics.store(NAME, givenStore ?? redisOf(config, log))
  const upstream = config.RELAY_ADDRESS === undefined ? undefined : createRpcClient({ address: config.RELAY_ADDRESS, ...shown })
  const followed = (name: FeedName, owner: RpcClient) => relayedFeed({ name, now: momentNow, pull: remoteFeed(upstream ?? owner, name), on: metrics.pulls(NAME, name) })
  const relayed = { registry: followed('registry', registry), exchange: followed('exchange', exchange) }
  const feeds = { registry: relayed.registry.feed, exchange: relayed.exchange.feed }
  for (const name of FEEDS) metrics.follow(NAME, feeds[name], momentNow)
  const demands = demandsOn([feeds.registry, feeds.exchange], momentNow)
  const layers = {
    shared: store && config.REDIS_MAC_KEYS ? { store: batchedReads(store), sealer: sealer(config.REDIS_MAC_KEYS) } : undefined,
    maxBytes: Math.floor((config.CACHE_MEGABYTES * MEGABYTE) / 3),
  }
  const tokens = cachedTokens({ ...layers, found: metrics.reads(NAME, 'access-token'), feed: feeds.exchange, ask: remoteTokens(exchange) })
  const principals = cachedPrincipals({ feed: feeds.exchange, maxBytes: Math.floor((config.CACHE_MEGABYTES * MEGABYTE) / 16), found: metrics.reads(NAME, 'principal'), ask: remotePrincipals(exchange) })
  const grants = cachedGrants({ ...layers, found: metrics.reads(NAME, 'grants'), feed: feeds.registry, ask: remoteGrants(registry) })
  const roles = cachedRoles({ ...layers, found: metrics.reads(NAME, 'role'), feed: feeds.registry, ask: remoteRoles(registry) })
  const judge = judgeBy({ gather: gathering({ tokens, principals, grants, roles, feeds }), feeds, demands, now: momentNow })
  const ruling = rulingBy({ judge, countUse: remoteUses(exchange) })
  const services = serviceCallers(config.INTERNAL_CALLERS)
  const local = config.CHECK_SOCKET !== undefined || isLoopback(config.HOST)
  const asker = askerOf({ ruling, services, local })
  const address = config.CHECK_SOCKET === undefined ? { host: config.HOST, port: config.CHECK_PORT } : { socketPath: config.CHECK_SOCKET }
  const deciding = decidingBy({ ruling, asker, ids: createIds(systemClock), decided: metrics.decisions() })
  const answering: Listener['services'] = (unary) => [
    [checkDefinition, checkService(unary, { deciding, feeds, demands, asker })],
    [envoyDefinition, envoyService(unary, { deciding, feeds, routes: compiledRoutes(), now: momentNow })],
  ]
  const forEverybody: Listener = { address, portVariable: 'CHECK_PORT', callers: 'anybody', services: answering }
  const relays = config.RELAY_PORT === undefined
    ? []
    : [relayListener({ address: { host: config.HOST, port: config.RELAY_PORT }, callers: services, feeds: { registry: relayed.registry.pulls, exchange: relayed.exchange.pulls } })]
  const listeners = listenersOf([forEverybody, ...relays], { config, log, transport, metrics })

  const closing = new Closing()
  for (const opened of [registry, exchange, transport]) closing.add(() => opened.close())
  closing.add(() => upstream?.close())
  closing.add(() => (givenStore ? undefined : store?.close()))
  // Ready once both feeds were pulled; from then on it answers, if need be that it can't decide.
  const becomeReady = async (): Promise<void> => {
    while (!closing.hasBegun) {
      try {
        await demands.demand({ level: 'full' }).meet()
        return listeners.setReady()
      } catch {
        log.warn('identity-registry or auth-exchange is not reached yet: still trying')
      }
    }
  }
  return {
    listen: async () => {
      closing.add(await openMetrics(metrics, config, transport.certificates))
      // Pulls go on until the last call is answered.
      for (const name of FEEDS) {
        closing.add(keepPulling(feeds[name], store, (error) => log.error({ err: error }, `pulling the ${name} feed failed`)))
      }
      closing.add(() => listeners.close())
      await listeners.listenForProbes()
      const [port = 0, relayPort = 0] = await listeners.listen()
      void becomeReady()
      return { port, relayPort }
    },
    close: () => closing.close(),
  }
}
