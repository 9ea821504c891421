import { address, databaseFiles, databaseTimeouts, host, logLevel, migrationMode, onOff, optionalPort, postgresUrl, redisFiles, stalenessBoundMillis, tlsFiles, whole } from './env.js'
import { redisUrl } from './redis/redis-url.js'
import { macKeys } from './redis/sealed.js'
import { internalCallers, serviceCredential } from './rpc/service-credential.js'

// What several services read. What a variable means is said once, here or in the config.ts of the only service that reads it;
// `npm run docs` puts it into docs/configuration.md.

/** What every service reads. */
export const everyService = {
  HOST: host.describe('address of the public listener, and of health and metrics'),
  SERVICE_CREDENTIAL: serviceCredential.describe('`NAME:SECRET`, what this service shows to the others; at least 32 characters of secret'),
  INTERNAL_CALLERS: internalCallers.describe('who may call, see below'),
  ...tlsFiles,
  HEALTH_PORT: optionalPort.describe('serves health, and nothing else, in plain text on this port of `HOST`, for probes that speak no TLS'),
  METRICS_PORT: optionalPort.describe(
    'serves `GET /metrics` for Prometheus on this port of `HOST`; 0 takes a free one. Without it there is no such listener. [metrics](metrics.md) names what is there',
  ),
  REDIS_URL: redisUrl.describe(
    '`redis://user:password@host:port`, or `redis+sentinel://user:password@host:port,host:port/NAME` for the master that these Sentinels call NAME (`?sentinel_username=` and `sentinel_password=` where they ask for one); `rediss` in place of `redis` for TLS, to the Sentinels too, with the certificate verified, host name included. Without it there is no shared cache, and changes are noticed by asking every 50 ms alone: slower, not wrong',
  ),
  ...redisFiles,
  LAME_DUCK_SECONDS: whole(0, 0, 600).describe('how long calls are still taken after SIGTERM, while health says NOT_SERVING: routes change late, and a client takes up to 2 s to come back to a replica that has just started. 0 is for a single replica'),
  DRAIN_SECONDS: whole(5, 0, 600).describe('how long calls under way may take after that; what is left then is cut'),
  LOG_LEVEL: logLevel.describe('`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`'),
}

/** What whoever owns data, and so answers other services on a listener of their own, reads beside that. */
export const everyOwner = {
  INTERNAL_HOST: host.describe('address of the internal listener; anything but loopback needs TLS'),
  CHECK_ADDRESS: address.describe('`host:port` or `unix:PATH` of authorization-check'),
  DATABASE_URL: postgresUrl.describe(
    '`postgres://user:password@host:port/database`. With `MIGRATIONS=apply` the user owns the schema `registry` or `exchange`; with `wait` it needs what `countersign migrate up` gives it. `?sslmode=verify-full` (`require` and `verify-ca` mean the same here): TLS, with a certificate by a public CA, or by `DATABASE_CA_FILE`, and for this very host. `disable`, and no `sslmode` and no `DATABASE_CA_FILE`: plain text. Any other parameter about TLS is refused',
  ),
  ...databaseFiles,
  DATABASE_POOL_SIZE: whole(10, 1, 200).describe('connections at most, in each of two pools (public and internal); one more answers pulls of the change feed'),
  DATABASE_PREPARED_STATEMENTS: onOff('on').describe("`off` behind a pooler in transaction mode that can't keep them"),
  DATABASE_TIMEOUTS: databaseTimeouts.describe(
    'who limits how long the server lets a session wait. `session`: each asks for it when it is made. `role`, behind a pooler such as pgbouncer, which refuses or swallows such wishes: the role has `statement_timeout`, `lock_timeout` and `idle_in_transaction_session_timeout` as settings in this database. `countersign migrate up` sets them where it may; where they do not hold, the service does not start (or waits, see `MIGRATIONS`) and says what to set',
  ),
  MIGRATIONS: migrationMode.describe(
    '`apply`: the service brings its schema up to date when it starts, and its role must own it. `wait`: somebody runs `countersign migrate up`, and the service is alive but not ready until its migrations are there; a later version\'s beside them do no harm',
  ),
  STALENESS_BOUND_MILLIS: stalenessBoundMillis.describe(
    '100 to 60000: for how long after it asked for the latest changes anybody may use copies of what this owner answered, and so how late a revocation can bind. It goes to all replicas with the changes themselves; a lower one counts once the earlier one has passed',
  ),
  AUDIT_RETENTION_DAYS: whole(400, 1, 36_500).describe('audit events older than this are dropped, a day at a time'),
}

/** What whoever asks identity-registry, and keeps entries in Redis, reads beside that. */
export const everyAsker = {
  REGISTRY_INTERNAL_ADDRESS: address.describe("`host:port` of identity-registry's internal listener"),
  REDIS_MAC_KEYS: macKeys.optional().describe(
    '`ID:KEY` or `ID:KEY,ID:KEY`, each key 32 bytes in base64, the same in both services. The first seals what is put into Redis; the second still opens. Without it nothing is put there',
  ),
}
