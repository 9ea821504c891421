import { type Clock, monotonicMillis } from '#libs/clock.js'
import { readConfig } from '#libs/env.js'
import { Closing } from '#libs/lifecycle.js'
import type { Log } from '#libs/log.js'
import { memoryStore } from '#libs/redis/memory-store.js'
import { digestOf } from '#libs/rpc/service-credential.js'
import { createApp as createExchange } from '../../services/auth-exchange/app.js'
import { configSchema as exchangeSchema } from '../../services/auth-exchange/config.js'
import { createApp as createCheck } from '../../services/authorization-check/app.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { createApp as createRegistry } from '../../services/identity-registry/app.js'
import { configSchema as registrySchema } from '../../services/identity-registry/config.js'
import type { LocalSecrets } from './secrets.js'

export type ServiceName = 'identity-registry' | 'auth-exchange' | 'authorization-check'

export type ServicesOptions = {
  readonly registryUrl: string
  readonly exchangeUrl: string
  /** Without it there is a store in this process in its place. */
  readonly redisUrl?: string
  readonly secrets: LocalSecrets
  readonly log: (service: ServiceName) => Log
  /** REGISTRY_PORT and its like; what is not given is as each service's config.ts says. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
}

/** `host:port` of each, the internal ones too. */
export type ServiceAddresses = {
  readonly registry: string
  readonly exchange: string
  readonly check: string
  readonly registryInternal: string
  readonly exchangeInternal: string
}

export type Services = { readonly addresses: ServiceAddresses; close(): Promise<void> }

type Environments = Record<'registry' | 'exchange' | 'check', Record<string, string>>

/** What each service is configured with so that the three know each other; also how each runs alone on one machine. */
export function serviceEnvironments({ registryUrl, exchangeUrl, redisUrl, secrets }: Pick<ServicesOptions, 'registryUrl' | 'exchangeUrl' | 'redisUrl' | 'secrets'>): Environments {
  const caller = (name: string, secret: string, ...methods: string[]) => ({
    name,
    digests: [digestOf(secret)],
    methods: methods.map((method) => `/countersign.${method}`),
    organizations: ['*'],
    projects: ['*'],
  })
  const { registryCredential, exchangeCredential, checkCredential, bootstrapCredential } = secrets
  const registryService = 'registry.v1.RegistryInternalService'
  const exchangeService = 'exchange.v1.ExchangeInternalService'
  const checkMethod = 'authorization.v1.AuthorizationCheckService/Check'
  const pullChanges = 'feed.v1.ChangeFeedService/PullChanges'
  const redis: Record<string, string> = redisUrl === undefined ? {} : { REDIS_URL: redisUrl }
  const macKeys = { REDIS_MAC_KEYS: `local:${secrets.redisMacKey}` }
  const callersOfRegistry = [
    caller('authorization-check', checkCredential, `${registryService}/ResolveGrants`, `${registryService}/ResolveRole`, pullChanges),
    caller('auth-exchange', exchangeCredential, `${registryService}/DescribeIdentity`, `${registryService}/CheckCoverage`, pullChanges),
    caller('bootstrap', bootstrapCredential, `${registryService}/Bootstrap`),
  ]
  const callersOfExchange = [
    caller('authorization-check', checkCredential, `${exchangeService}/DescribeToken`, `${exchangeService}/ConsumeUse`, `${exchangeService}/DescribePrincipal`, pullChanges),
    caller('bootstrap', bootstrapCredential, ...['Bootstrap', 'ListSigningKeys', 'RotateSigningKey', 'RevokeSigningKey'].map((method) => `${exchangeService}/${method}`)),
  ]
  const callersOfCheck = [caller('identity-registry', registryCredential, checkMethod), caller('auth-exchange', exchangeCredential, checkMethod)]
  return {
    registry: {
      ...redis,
      DATABASE_URL: registryUrl,
      SERVICE_CREDENTIAL: `identity-registry:${registryCredential}`,
      INTERNAL_CALLERS: JSON.stringify(callersOfRegistry),
    },
    exchange: {
      ...redis,
      ...macKeys,
      DATABASE_URL: exchangeUrl,
      SERVICE_CREDENTIAL: `auth-exchange:${exchangeCredential}`,
      INTERNAL_CALLERS: JSON.stringify(callersOfExchange),
      PEPPERS: `local:${secrets.pepper}`,
      KEY_ENCRYPTION_KEY: secrets.keyEncryptionKey,
    },
    check: {
      ...redis,
      ...macKeys,
      SERVICE_CREDENTIAL: `authorization-check:${checkCredential}`,
      INTERNAL_CALLERS: JSON.stringify(callersOfCheck),
    },
  }
}

/** Lets more callers in than the services know each other as, such as sidecars. */
function admitting(own: Environments, more: string | undefined): Environments {
  if (more === undefined) return own
  const lists = (name: keyof Environments) => ({ ...own[name], INTERNAL_CALLERS: joined(own[name]['INTERNAL_CALLERS'] ?? '[]', more) })
  return { registry: lists('registry'), exchange: lists('exchange'), check: lists('check') }
}

/** One list of both. What is no list is left to the services, which refuse it by its name. */
function joined(own: string, more: string): string {
  const lists = [own, more].map(jsonOrUndefined)
  return lists.every(Array.isArray) ? JSON.stringify(lists.flat()) : more
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Runs the three services in this process. What fails to start closes what had started. */
export async function startServices({ log, environment, clock, ...shared }: ServicesOptions): Promise<Services> {
  const own = admitting(serviceEnvironments(shared), environment['INTERNAL_CALLERS'])
  const closing = new Closing()
  // Check listens last, since it must know the others; they ask for its address at their first call.
  let check = ''
  const store = shared.redisUrl === undefined ? { store: memoryStore(monotonicMillis) } : {}
  const outside = { checkAddress: () => check, ...(clock && { clock }), ...store }
  const settings = { REGISTRY_INTERNAL_PORT: '0', EXCHANGE_INTERNAL_PORT: '0', ...environment, CHECK_ADDRESS: 'unix:later' }
  try {
    const registry = createRegistry(readConfig(registrySchema, { ...settings, ...own.registry }), { log: log('identity-registry'), ...outside })
    closing.add(() => registry.close())
    const registryPorts = await registry.listen()
    const registryInternal = `127.0.0.1:${registryPorts.internalPort}`

    const exchangeConfig = readConfig(exchangeSchema, { ...settings, ...own.exchange, REGISTRY_INTERNAL_ADDRESS: registryInternal })
    const exchange = createExchange(exchangeConfig, { log: log('auth-exchange'), ...outside })
    closing.add(() => exchange.close())
    const exchangePorts = await exchange.listen()
    const exchangeInternal = `127.0.0.1:${exchangePorts.internalPort}`

    const peers = { REGISTRY_INTERNAL_ADDRESS: registryInternal, EXCHANGE_INTERNAL_ADDRESS: exchangeInternal }
    const checkConfig = readConfig(checkSchema, { ...settings, ...own.check, ...peers })
    const checkApp = createCheck(checkConfig, { log: log('authorization-check'), ...store })
    closing.add(() => checkApp.close())
    const host = checkConfig.HOST
    check = `${host}:${(await checkApp.listen()).port}`
    return {
      addresses: { registry: `${host}:${registryPorts.port}`, exchange: `${host}:${exchangePorts.port}`, check, registryInternal, exchangeInternal },
      close: () => closing.close(),
    }
  } catch (error) {
    await closing.close()
    throw error
  }
}
