import { CamelCasePlugin, Kysely, sql } from 'kysely'
import { Pool } from 'pg'
import { withCauses } from '../causes.js'
import { type DatabaseClock, momentNow } from '../clock.js'
import { nowAndEvery } from '../lifecycle.js'
import type { Log } from '../log.js'
import { postgresDialect } from './driver.js'
import { TIMEOUTS, type TimeoutsBy } from './timeouts.js'
import { type DatabaseTls, databaseTls, type DatabaseTlsConfig, withoutTlsParameters } from './tls.js'

export type DatabaseOptions = {
  readonly schema: string
  readonly url: string
  /** Without it, in plain text. */
  readonly tls?: DatabaseTls
  readonly log: Log
  /** Connections at most. */
  readonly poolSize: number
  /** Named prepared statements; off for a pooler in transaction mode that can't keep them. */
  readonly prepare: boolean
  /** Who sees to the server's timeouts; each session, where nothing is said. */
  readonly timeouts?: TimeoutsBy
  /** Is given a way to count the connections of the pool. */
  readonly watch?: (connections: () => Connections) => void
}

export type Connections = { readonly used: number; readonly idle: number; readonly waiting: number }

export type DatabaseConfig = DatabaseTlsConfig & {
  readonly DATABASE_URL: string
  readonly DATABASE_POOL_SIZE: number
  readonly DATABASE_PREPARED_STATEMENTS: 'on' | 'off'
  readonly DATABASE_TIMEOUTS: TimeoutsBy
}

/** What a service's environment says of its database. */
export const databaseOf = (config: DatabaseConfig, log: Log): Omit<DatabaseOptions, 'schema'> => ({
  url: config.DATABASE_URL,
  tls: databaseTls(config.DATABASE_URL, config, { log }),
  log,
  poolSize: config.DATABASE_POOL_SIZE,
  prepare: config.DATABASE_PREPARED_STATEMENTS === 'on',
  timeouts: config.DATABASE_TIMEOUTS,
})

/** A pool with every timeout set: nothing that waits for the database waits for ever. */
export function connectDatabase<Schema>({ url, tls = false, schema, log, poolSize, prepare, timeouts = 'session', watch }: DatabaseOptions): Kysely<Schema> {
  const pool = new Pool({
    connectionString: withoutTlsParameters(url),
    ssl: tls,
    max: poolSize,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 60_000,
    maxLifetimeSeconds: 600,
    query_timeout: 5_000,
    ...(timeouts === 'session' && TIMEOUTS),
    keepAlive: true,
    application_name: 'countersign',
  })
  // Without a listener an idle connection that the server closes ends the process.
  pool.on('error', (error) => log.warn({ error: error.message }, 'idle database connection lost'))
  // So does one that is lost in use, whose statements then fail by themselves.
  pool.on('connect', (client) => client.on('error', () => undefined))
  // Callers are not told why there is no database; whoever runs the service is, once.
  let complaint = ''
  const onRefused = (refusal: Error) => {
    if (withCauses(refusal) !== complaint) log.warn({ problem: withCauses(refusal) }, 'no connection to the database can be had')
    complaint = withCauses(refusal)
  }
  pool.on('connect', () => (complaint = ''))
  watch?.(() => ({ used: pool.totalCount - pool.idleCount, idle: pool.idleCount, waiting: pool.waitingCount }))
  // Rows come as the domain names things: create_time is createTime; what JSON columns hold is left as it is.
  const plugins = [new CamelCasePlugin({ maintainNestedObjectKeys: true })]
  return new Kysely<Schema>({ dialect: postgresDialect(pool, { prepare, onRefused }), plugins }).withSchema(schema)
}

const OBSERVE_TIME_EVERY_MILLIS = 10_000

/** Asks the database for its time now, and from then on again and again. Returns how to stop. */
export const keepDatabaseTime = <Schema>(db: Kysely<Schema>, clock: DatabaseClock, onFailure: (failure: unknown) => void): Promise<() => Promise<void>> =>
  nowAndEvery(OBSERVE_TIME_EVERY_MILLIS, () => observeDatabaseTime(db, clock), onFailure)

/** For a clock that goes on from there. */
async function observeDatabaseTime<Schema>(db: Kysely<Schema>, clock: DatabaseClock): Promise<void> {
  const asked = momentNow()
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db)
  const [row] = rows
  if (row) clock.observe(row.now, asked, momentNow())
}
