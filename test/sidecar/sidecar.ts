import { join } from 'node:path'
import { readConfig } from '#libs/env.js'
import { createLog } from '#libs/log.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { createApp } from '../../services/authorization-check/app.js'
import { configSchema } from '../../services/authorization-check/config.js'
import { CALLER_SECRET, type CallerOptions, internalCallersOf } from '../support/confined-services.js'
import type { System } from '../support/system.js'

// A central authorization-check that relays, and sidecars behind it, in this process.

const log = createLog({ service: 'test', level: 'silent' })

/** What a sidecar's credential may call, and no more: docs/sidecar.md has the same list. */
export const SIDECAR_METHODS = [
  '/countersign.registry.v1.RegistryInternalService/ResolveGrants',
  '/countersign.registry.v1.RegistryInternalService/ResolveRole',
  '/countersign.exchange.v1.ExchangeInternalService/DescribeToken',
  '/countersign.exchange.v1.ExchangeInternalService/ConsumeUse',
  '/countersign.exchange.v1.ExchangeInternalService/DescribePrincipal',
  '/countersign.feed.v1.ChangeFeedService/PullChanges',
]

export type Running = { readonly port: number; readonly relayPort: number; close(): Promise<void> }

async function run(environment: Readonly<Record<string, string>>): Promise<Running> {
  const app = createApp(readConfig(configSchema, { DRAIN_SECONDS: '0', ...environment }), { log })
  return { ...(await app.listen()), close: () => app.close() }
}

const ownersOf = ({ addresses }: System) => ({ REGISTRY_INTERNAL_ADDRESS: addresses.registryInternal, EXCHANGE_INTERNAL_ADDRESS: addresses.exchangeInternal })

/** Listens on `port` where one is given, so that it can come back where it was. */
export const startRelay = (system: System, callers: readonly CallerOptions[], port = '0'): Promise<Running> =>
  run({ ...serviceEnvironments({ ...system.databases, secrets: system.secrets }).check, ...ownersOf(system), CHECK_PORT: '0', RELAY_PORT: port, INTERNAL_CALLERS: internalCallersOf(callers) })

export type SidecarOptions = { readonly folder: string; readonly name: string; readonly registry: string; readonly exchange: string; readonly relay: string }

/** On a Unix socket, with a confined credential, no Redis, and nothing else that is secret. */
export async function startSidecar({ folder, name, registry, exchange, relay }: SidecarOptions): Promise<{ readonly address: string; close(): Promise<void> }> {
  const path = join(folder, `${name}.sock`)
  const app = await run({
    CHECK_SOCKET: path,
    REGISTRY_INTERNAL_ADDRESS: registry,
    EXCHANGE_INTERNAL_ADDRESS: exchange,
    RELAY_ADDRESS: relay,
    SERVICE_CREDENTIAL: `${name}:${CALLER_SECRET}`,
    INTERNAL_CALLERS: '[]',
    CACHE_MEGABYTES: '8',
  })
  return { address: `unix:${path}`, close: () => app.close() }
}

