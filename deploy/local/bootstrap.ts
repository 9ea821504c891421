import { randomBytes } from 'node:crypto'
import { type ChannelCredentials, Metadata } from '@grpc/grpc-js'
import { z } from 'zod'
import { systemClock } from '#libs/clock.js'
import { createIds } from '#libs/ids.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { traceOf } from '#libs/rpc/trace.js'
import { ExchangeInternalServiceService } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { RegistryInternalServiceService } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { readJson, writePrivateJson } from './private-json.js'
import type { ServiceAddresses } from './services.js'

const schema = z.object({ organizationId: z.string(), identityId: z.string(), clientId: z.string(), clientSecret: z.string() })

/** The first identity of an organization, which is its admin, and what it logs in with. */
export type Admin = z.output<typeof schema>

export function newAdmin(): Admin {
  const ids = createIds(systemClock)
  return { organizationId: ids.next(), identityId: ids.next(), clientId: ids.next(), clientSecret: secretText(ids.next(), randomBytes(32)) }
}

export const readAdmin = (file: string): Admin | undefined => readJson(file, schema)

/** The admin of a data folder. It is chosen and kept before any service hears of it, so that a crash in between can be made good. */
export function loadAdmin(file: string): Admin {
  const kept = readAdmin(file)
  if (kept) return kept
  const made = newAdmin()
  writePrivateJson(file, made)
  return made
}

type Shown = {
  readonly credential: string
  /** To both, or to each; plain text where nothing is said. */
  readonly channel?: ChannelCredentials
  readonly channels?: { readonly registry: ChannelCredentials; readonly exchange: ChannelCredentials }
  readonly organizationName?: string
  readonly identityName?: string
}

/** Tells both owners of the admin. Each does nothing where it has heard of it before. */
export async function bootstrap(addresses: Pick<ServiceAddresses, 'registryInternal' | 'exchangeInternal'>, shown: Shown, admin: Admin): Promise<void> {
  const { organizationId, identityId, clientId, clientSecret } = admin
  const serviceCredential = `bootstrap:${shown.credential}`
  const by = (channel: ChannelCredentials | undefined) => ({ serviceCredential, ...(channel && { credentials: channel }) })
  const registry = createRpcClient({ address: addresses.registryInternal, ...by(shown.channels?.registry ?? shown.channel) })
  const exchange = createRpcClient({ address: addresses.exchangeInternal, ...by(shown.channels?.exchange ?? shown.channel) })
  const outgoing = { deadline: deadlineOf(Infinity, 10_000), trace: traceOf(new Metadata()) }
  const names = { organizationName: shown.organizationName ?? 'default', identityName: shown.identityName ?? 'admin' }
  try {
    await registry.unary(RegistryInternalServiceService.bootstrap, { organizationId, identityId, ...names }, outgoing)
    await exchange.unary(ExchangeInternalServiceService.bootstrap, { organizationId, identityId, clientId, clientSecret }, outgoing)
  } finally {
    registry.close()
    exchange.close()
  }
}
