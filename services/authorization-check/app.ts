import { systemClock } from '#libs/clock.js'
import { isLoopback } from '#libs/env.js'
import { createIds } from '#libs/ids.js'
import { type App, Closing } from '#libs/lifecycle.js'
import type { Log } from '#libs/log.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { createRpcServer } from '#libs/rpc/server.js'
import { serviceCallers } from '#libs/rpc/service-credential.js'
import { AuthorizationCheckServiceService } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Config } from './config.js'
import { remoteGrants } from './peers/grants.js'
import { remoteTokens } from './peers/tokens.js'
import { askerOf } from './rpc/caller.js'
import { checkService } from './rpc/service.js'

export type Outside = { readonly log: Log }

/** `port` is 0 where the service listens on a Unix socket. */
export type Addresses = { readonly port: number }

const REACHED_WITHIN_MILLIS = 60_000

export function createApp(config: Config, { log }: Outside): App<Addresses> {
  const serviceCredential = config.SERVICE_CREDENTIAL
  const registry = createRpcClient({
    address: config.REGISTRY_INTERNAL_ADDRESS,
    serviceCredential,
    idempotentServices: ['countersign.registry.v1.RegistryInternalService'],
  })
  const exchange = createRpcClient({
    address: config.EXCHANGE_INTERNAL_ADDRESS,
    serviceCredential,
    idempotentServices: ['countersign.exchange.v1.ExchangeInternalService'],
  })
  const tokens = remoteTokens(exchange)
  const grants = remoteGrants(registry)
  const services = serviceCallers(config.INTERNAL_CALLERS)
  const local = config.CHECK_SOCKET !== undefined || isLoopback(config.HOST)
  const asker = askerOf({ tokens, grants, services, local })
  const server = createRpcServer({
    log,
    address: config.CHECK_SOCKET === undefined ? { host: config.HOST, port: config.CHECK_PORT } : { socketPath: config.CHECK_SOCKET },
    portVariable: 'CHECK_PORT',
    graceMillis: config.DRAIN_SECONDS * 1000,
    services: (unary) => [[AuthorizationCheckServiceService, checkService(unary, { tokens, grants, asker, ids: createIds(systemClock) })]],
  })

  const closing = new Closing()
  closing.add(() => registry.close())
  closing.add(() => exchange.close())
  let closed = false
  closing.add(() => {
    closed = true
  })
  // Ready once both owners were reached; from then on it answers, if need be that it can't decide.
  const becomeReady = async (): Promise<void> => {
    try {
      await Promise.all([registry.waitForReady(REACHED_WITHIN_MILLIS), exchange.waitForReady(REACHED_WITHIN_MILLIS)])
      server.health.setReady(true)
    } catch {
      log.warn(`identity-registry or auth-exchange was not reached within ${REACHED_WITHIN_MILLIS / 1000} s: still trying`)
      if (!closed) await becomeReady()
    }
  }
  return {
    listen: async () => {
      closing.add(() => server.close())
      const port = await server.listen()
      void becomeReady()
      return { port }
    },
    close: () => closing.close(),
  }
}
