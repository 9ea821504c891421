import { CamelCasePlugin, Kysely, sql } from 'kysely'
import { Pool } from 'pg'
import { databaseClock, momentNow } from '#libs/clock.js'
import { createIds, type Ids } from '#libs/ids.js'
import type { Clock } from '#libs/clock.js'
import { keepPartitions } from '#libs/postgres/partitions.js'
import { postgresDialect } from '#libs/postgres/driver.js'
import { withoutTlsParameters } from '#libs/postgres/tls.js'
import type { Place } from './place.js'

// What operations of a service work with: its schema as it knows it, and the database's time.

export type Opened<Schema> = { readonly db: Kysely<Schema>; readonly clock: Clock; readonly ids: Ids }

/** So far ahead that nothing is dropped: how long an audit is kept is for the services to know. */
const KEEP_DAYS = 365_000

export async function withSchema<Schema, T>({ url, tls }: Place, schema: 'registry' | 'exchange', work: (opened: Opened<Schema>) => Promise<T>): Promise<T> {
  // No limit on a statement: after a restore one may touch every row.
  const pool = new Pool({ connectionString: withoutTlsParameters(url), ssl: tls, max: 1, connectionTimeoutMillis: 10_000, lock_timeout: 5_000, application_name: 'countersign-operator' })
  pool.on('error', () => undefined)
  const db = new Kysely<Schema>({ dialect: postgresDialect(pool, { prepare: false }), plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })] }).withSchema(schema)
  try {
    const clock = databaseClock()
    const asked = momentNow()
    const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db)
    if (rows[0]) clock.observe(rows[0].now, asked, momentNow())
    // Services that were down for a fortnight have made none for today.
    await keepPartitions(db, { schema, table: 'audit_event', keepDays: KEEP_DAYS }, clock.now())
    return await work({ db, clock, ids: createIds(clock) })
  } finally {
    await db.destroy()
  }
}
