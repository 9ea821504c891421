import { readConfig } from '#libs/env.js'
import type { App } from '#libs/lifecycle.js'
import { createLog } from '#libs/log.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { createApp as createExchange } from '../../services/auth-exchange/app.js'
import { configSchema as exchangeSchema } from '../../services/auth-exchange/config.js'
import { createApp as createCheck } from '../../services/authorization-check/app.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { createApp as createRegistry } from '../../services/identity-registry/app.js'
import { configSchema as registrySchema } from '../../services/identity-registry/config.js'
import type { System } from '../support/system.js'

/** A service that can be stopped and started again, where it was and as it was. */
export type Separate = { readonly address: string; stop(): Promise<void>; start(): Promise<void> }

export type SeparateServices = { readonly registry: Separate; readonly exchange: Separate; readonly check: Separate; close(): Promise<void> }

// No outgoing connection has this address, so that none takes a port while the service that it belongs to is down.
const HOST = '127.0.0.77'

type Ports = { port: number; internalPort?: number }

/** The three services once more on the system's databases, each of which can be missing. */
export async function separateServices({ databases, secrets, clock }: System): Promise<SeparateServices> {
  const own = serviceEnvironments({ ...databases, secrets })
  const log = createLog({ service: 'separate', level: 'silent' })
  const settings = { HOST, INTERNAL_HOST: HOST, DRAIN_SECONDS: '0', CHECK_ADDRESS: 'unix:later' }
  let checkAddress = ''
  const outside = { log, clock, checkAddress: () => checkAddress }

  const registry = await restartable(({ port, internalPort = 0 }) => {
    const ports = { REGISTRY_PORT: String(port), REGISTRY_INTERNAL_PORT: String(internalPort) }
    return createRegistry(readConfig(registrySchema, { ...own.registry, ...settings, ...ports }), outside)
  })
  const REGISTRY_INTERNAL_ADDRESS = registry.internalAddress
  const exchange = await restartable(({ port, internalPort = 0 }) => {
    const ports = { EXCHANGE_PORT: String(port), EXCHANGE_INTERNAL_PORT: String(internalPort), REGISTRY_INTERNAL_ADDRESS }
    return createExchange(readConfig(exchangeSchema, { ...own.exchange, ...settings, ...ports }), outside)
  })
  const check = await restartable(({ port }) => {
    const peers = { REGISTRY_INTERNAL_ADDRESS, EXCHANGE_INTERNAL_ADDRESS: exchange.internalAddress }
    return createCheck(readConfig(checkSchema, { ...own.check, ...settings, ...peers, CHECK_PORT: String(port) }), { log })
  })
  checkAddress = check.address
  return {
    registry,
    exchange,
    check,
    close: async () => {
      for (const service of [check, exchange, registry]) await service.stop()
    },
  }
}

async function restartable(create: (ports: Ports) => App<Ports>): Promise<Separate & { readonly internalAddress: string }> {
  let app: App<Ports> | undefined = create({ port: 0 })
  const ports = await app.listen()
  return {
    address: `${HOST}:${ports.port}`,
    internalAddress: `${HOST}:${ports.internalPort ?? 0}`,
    stop: async () => {
      await app?.close()
      app = undefined
    },
    start: async () => {
      app = create(ports)
      await app.listen()
    },
  }
}
