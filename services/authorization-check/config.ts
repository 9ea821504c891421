import { z } from 'zod'
import { address, host, logLevel, optionalPort, port, redisFiles, tlsFiles, whole } from '#libs/env.js'
import { redisUrl } from '#libs/redis/redis-url.js'
import { macKeys } from '#libs/redis/sealed.js'
import { internalCallers, serviceCredential } from '#libs/rpc/service-credential.js'

/** The environment of authorization-check; docs/configuration.md says what each is for. */
export const configSchema = z.object({
  HOST: host,
  CHECK_PORT: port(50_053),
  CHECK_SOCKET: z.string().min(1).optional(),
  REGISTRY_INTERNAL_ADDRESS: address,
  EXCHANGE_INTERNAL_ADDRESS: address,
  SERVICE_CREDENTIAL: serviceCredential,
  INTERNAL_CALLERS: internalCallers,
  REDIS_URL: redisUrl,
  ...redisFiles,
  REDIS_MAC_KEYS: macKeys.optional(),
  CACHE_MEGABYTES: whole(64, 1, 16_384),
  METRICS_PORT: optionalPort,
  ...tlsFiles,
  HEALTH_PORT: optionalPort,
  LAME_DUCK_SECONDS: whole(0, 0, 600),
  DRAIN_SECONDS: whole(5, 0, 600),
  LOG_LEVEL: logLevel,
})

export type Config = z.output<typeof configSchema>
