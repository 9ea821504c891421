import { z } from 'zod'
import { address, databaseFiles, databaseTimeouts, host, logLevel, migrationMode, namedKeys, onOff, optionalPort, port, postgresUrl, redisFiles, stalenessBoundMillis, tlsFiles, whole } from '#libs/env.js'
import { redisUrl } from '#libs/redis/redis-url.js'
import { macKeys } from '#libs/redis/sealed.js'
import { internalCallers, serviceCredential } from '#libs/rpc/service-credential.js'
import { keyEncryptionKey } from './signing/sealed-key.js'

/** The environment of auth-exchange; docs/configuration.md says what each is for. */
export const configSchema = z.object({
  HOST: host,
  EXCHANGE_PORT: port(50_052),
  INTERNAL_HOST: host,
  EXCHANGE_INTERNAL_PORT: port(50_062),
  DATABASE_URL: postgresUrl,
  ...databaseFiles,
  DATABASE_POOL_SIZE: whole(10, 1, 200),
  DATABASE_PREPARED_STATEMENTS: onOff('on'),
  DATABASE_TIMEOUTS: databaseTimeouts,
  MIGRATIONS: migrationMode,
  REGISTRY_INTERNAL_ADDRESS: address,
  CHECK_ADDRESS: address,
  SERVICE_CREDENTIAL: serviceCredential,
  INTERNAL_CALLERS: internalCallers,
  PEPPERS: namedKeys('makes new digests'),
  KEY_ENCRYPTION_KEY: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64').transform((text) => keyEncryptionKey(Buffer.from(text, 'base64'))),
  TOKEN_ISSUER: z.string().min(1).default('countersign'),
  TOKEN_AUDIENCE: z.string().min(1).default('countersign'),
  STALENESS_BOUND_MILLIS: stalenessBoundMillis,
  REDIS_URL: redisUrl,
  ...redisFiles,
  REDIS_MAC_KEYS: macKeys.optional(),
  AUDIT_RETENTION_DAYS: whole(400, 1, 36_500),
  ...tlsFiles,
  HEALTH_PORT: optionalPort,
  METRICS_PORT: optionalPort,
  LAME_DUCK_SECONDS: whole(0, 0, 600),
  DRAIN_SECONDS: whole(5, 0, 600),
  LOG_LEVEL: logLevel,
})

export type Config = z.output<typeof configSchema>
