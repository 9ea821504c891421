import { z } from 'zod'
import { address, databaseFiles, databaseTimeouts, host, logLevel, migrationMode, onOff, optionalPort, port, postgresUrl, redisFiles, stalenessBoundMillis, tlsFiles, whole } from '#libs/env.js'
import { redisUrl } from '#libs/redis/redis-url.js'
import { internalCallers, serviceCredential } from '#libs/rpc/service-credential.js'

/** The environment of identity-registry; docs/configuration.md says what each is for. */
export const configSchema = z.object({
  HOST: host,
  REGISTRY_PORT: port(50_051),
  INTERNAL_HOST: host,
  REGISTRY_INTERNAL_PORT: port(50_061),
  DATABASE_URL: postgresUrl,
  ...databaseFiles,
  DATABASE_POOL_SIZE: whole(10, 1, 200),
  DATABASE_PREPARED_STATEMENTS: onOff('on'),
  DATABASE_TIMEOUTS: databaseTimeouts,
  MIGRATIONS: migrationMode,
  CHECK_ADDRESS: address,
  SERVICE_CREDENTIAL: serviceCredential,
  INTERNAL_CALLERS: internalCallers,
  STALENESS_BOUND_MILLIS: stalenessBoundMillis,
  REDIS_URL: redisUrl,
  ...redisFiles,
  AUDIT_RETENTION_DAYS: whole(400, 1, 36_500),
  ...tlsFiles,
  HEALTH_PORT: optionalPort,
  METRICS_PORT: optionalPort,
  LAME_DUCK_SECONDS: whole(0, 0, 600),
  DRAIN_SECONDS: whole(5, 0, 600),
  LOG_LEVEL: logLevel,
})

export type Config = z.output<typeof configSchema>
