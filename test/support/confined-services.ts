import { readConfig } from '#libs/env.js'
import { Closing } from '#libs/lifecycle.js'
import { createLog } from '#libs/log.js'
import { digestOf } from '#libs/rpc/service-credential.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { createApp as createExchange } from '../../services/auth-exchange/app.js'
import { configSchema as exchangeSchema } from '../../services/auth-exchange/config.js'
import { createApp as createCheck } from '../../services/authorization-check/app.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { createApp as createRegistry } from '../../services/identity-registry/app.js'
import { configSchema as registrySchema } from '../../services/identity-registry/config.js'
import type { System } from './system.js'

// Further replicas on the databases of a system, with other settings than `npm start` gives.

export type Replica = { readonly address: string; close(): Promise<void> }

const log = createLog({ service: 'test', level: 'silent' })

/** authorization-check where a network can reach it: whoever asks shows a token of its own. */
export async function checkOnNetwork({ databases, secrets, addresses }: System, environment: Readonly<Record<string, string>> = {}): Promise<Replica> {
  const { check } = serviceEnvironments({ ...databases, secrets })
  const peers = { REGISTRY_INTERNAL_ADDRESS: addresses.registryInternal, EXCHANGE_INTERNAL_ADDRESS: addresses.exchangeInternal }
  const app = createCheck(readConfig(checkSchema, { ...check, ...peers, HOST: '0.0.0.0', CHECK_PORT: '0', DRAIN_SECONDS: '1', ...environment }), { log })
  return { address: `127.0.0.1:${(await app.listen()).port}`, close: () => app.close() }
}

/** `methods`: every internal one where nothing is said. */
export type CallerOptions = { readonly name: string; readonly organizations: readonly string[]; readonly projects?: readonly string[]; readonly methods?: readonly string[] }

export const CALLER_SECRET = 'of-a-caller-that-exists-in-tests-only'

const EVERY_METHOD = ['registry.v1.RegistryInternalService', 'exchange.v1.ExchangeInternalService', 'feed.v1.ChangeFeedService'].map((service) => `/countersign.${service}/*`)

const callerOf = ({ name, organizations, projects = ['*'], methods = EVERY_METHOD }: CallerOptions) => ({ name, digests: [digestOf(CALLER_SECRET)], methods, organizations, projects })

/** What an internal listener reads as INTERNAL_CALLERS. */
export const internalCallersOf = (callers: readonly CallerOptions[]): string => JSON.stringify(callers.map(callerOf))

/** The internal ports of registry and exchange, for these callers only. */
export async function internalsFor({ databases, secrets, addresses, clock }: System, callers: readonly CallerOptions[]) {
  const own = serviceEnvironments({ ...databases, secrets })
  const ports = { REGISTRY_PORT: '0', REGISTRY_INTERNAL_PORT: '0', EXCHANGE_PORT: '0', EXCHANGE_INTERNAL_PORT: '0', DRAIN_SECONDS: '1' }
  const peers = { CHECK_ADDRESS: addresses.check, REGISTRY_INTERNAL_ADDRESS: addresses.registryInternal }
  const settings = { ...ports, ...peers, INTERNAL_CALLERS: internalCallersOf(callers) }
  const closing = new Closing()
  const registry = createRegistry(readConfig(registrySchema, { ...own.registry, ...settings }), { log, clock })
  closing.add(() => registry.close())
  const exchange = createExchange(readConfig(exchangeSchema, { ...own.exchange, ...settings }), { log, clock })
  closing.add(() => exchange.close())
  return {
    registry: `127.0.0.1:${(await registry.listen()).internalPort}`,
    exchange: `127.0.0.1:${(await exchange.listen()).internalPort}`,
    close: () => closing.close(),
  }
}
