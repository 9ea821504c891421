import { z } from 'zod'
import { address, host, internalHost, logLevel, onOff, port, postgresUrl, redisUrl, stalenessBoundMillis, whole } from '#libs/env.js'
import { macKeys } from '#libs/redis/sealed.js'
import { internalCallers, serviceCredential } from '#libs/rpc/service-credential.js'
import type { Pepper } from './domain/secret-hash.js'
import { keyEncryptionKey } from './signing/sealed-key.js'

const PEPPERS = 'must be ID:KEY, or two of them with a comma between, each KEY 32 bytes in base64; the first makes new digests'

const peppers = z.string().transform((text, context): readonly [Pepper, ...Pepper[]] => {
  const [current, next, ...more] = text.split(',').map(pepperFrom)
  if (current && more.length === 0 && current.id !== next?.id && (next || !text.includes(','))) return next ? [current, next] : [current]
  context.addIssue(PEPPERS)
  return z.NEVER
})

function pepperFrom(text: string): Pepper | undefined {
  const [, id, base64] = /^([a-z0-9-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(text) ?? []
  return id !== undefined && base64 !== undefined ? { id, key: Buffer.from(base64, 'base64') } : undefined
}

/** The environment of auth-exchange; docs/configuration.md says what each is for. */
export const configSchema = z.object({
  HOST: host,
  EXCHANGE_PORT: port(50_052),
  INTERNAL_HOST: internalHost,
  EXCHANGE_INTERNAL_PORT: port(50_062),
  DATABASE_URL: postgresUrl,
  DATABASE_POOL_SIZE: whole(10, 1, 200),
  DATABASE_PREPARED_STATEMENTS: onOff('on'),
  REGISTRY_INTERNAL_ADDRESS: address,
  CHECK_ADDRESS: address,
  SERVICE_CREDENTIAL: serviceCredential,
  INTERNAL_CALLERS: internalCallers,
  PEPPERS: peppers,
  KEY_ENCRYPTION_KEY: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64').transform((text) => keyEncryptionKey(Buffer.from(text, 'base64'))),
  TOKEN_ISSUER: z.string().min(1).default('countersign'),
  TOKEN_AUDIENCE: z.string().min(1).default('countersign'),
  STALENESS_BOUND_MILLIS: stalenessBoundMillis,
  REDIS_URL: redisUrl,
  REDIS_MAC_KEYS: macKeys.optional(),
  AUDIT_RETENTION_DAYS: whole(400, 1, 36_500),
  DRAIN_SECONDS: whole(5, 0, 600),
  LOG_LEVEL: logLevel,
})

export type Config = z.output<typeof configSchema>
