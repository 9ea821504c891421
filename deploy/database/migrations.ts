import { Kysely, sql } from 'kysely'
import { escapeIdentifier, Pool } from 'pg'
import { postgresDialect } from '#libs/postgres/driver.js'
import { codeOf, contention, isRepeatable } from '#libs/postgres/errors.js'
import { migrate, type Migrations, schemaState, type SchemaState } from '#libs/postgres/migrate.js'
import { TIMEOUTS } from '#libs/postgres/timeouts.js'
import { withoutTlsParameters } from '#libs/postgres/tls.js'
import { migrations as exchange } from '../../services/auth-exchange/store/migrations.js'
import { migrations as registry } from '../../services/identity-registry/store/migrations.js'
import type { Place } from './place.js'

// The schemas of both services, brought up to date by a role that may do it, so that the services need not be allowed to.

/** The roles as which the services connect: they get rights on rows, and none on tables. */
export type ServiceRoles = {
  readonly registryRole: string
  readonly exchangeRole: string
}

type Schema = { readonly schema: 'registry' | 'exchange'; readonly migrations: Migrations }

const SCHEMAS: readonly Schema[] = [
  { schema: 'registry', migrations: registry },
  { schema: 'exchange', migrations: exchange },
]

type Db = Kysely<unknown>

export async function withDatabase<T>({ url, tls }: Place, work: (db: Db) => Promise<T>): Promise<T> {
  const connectionString = withoutTlsParameters(url)
  const pool = new Pool({ connectionString, ssl: tls, max: 2, connectionTimeoutMillis: 10_000, lock_timeout: 2_000, application_name: 'countersign-migrate' })
  pool.on('error', () => undefined)
  const db: Db = new Kysely<unknown>({ dialect: postgresDialect(pool, { prepare: false }) })
  try {
    return await work(db)
  } finally {
    await db.destroy()
  }
}

export type Found = SchemaState & { readonly schema: string }

/** What each schema has and lacks. */
export const plan = (db: Db): Promise<Found[]> =>
  inTurn(SCHEMAS, async ({ schema, migrations }) => ({ schema, ...(await schemaState(db, schema, migrations)) }))

const ONE_AT_A_TIME = 4_207_850

/** Tables are locked for a moment, and whoever uses them is not made to wait for long: then it is tried again. */
const ATTEMPTS = 10

/** Applies what is pending, and gives the services their rights, also on what is made later. */
export async function up(db: Db, target: ServiceRoles, tell: (line: string) => void): Promise<Found[]> {
  // Giving rights twice at once fails in the catalog. Of a transaction, since a pooler gives a session to others.
  return db.transaction().execute(async (lock) => {
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(lock)
    await sql`select pg_advisory_xact_lock(${sql.lit(ONE_AT_A_TIME)})`.execute(lock)
    return bringUp(db, { registry: target.registryRole, exchange: target.exchangeRole }, tell)
  })
}

const bringUp = (db: Db, roles: Readonly<Record<Schema['schema'], string>>, tell: (line: string) => void): Promise<Found[]> =>
  inTurn(SCHEMAS, async ({ schema, migrations }) => {
    const role = roles[schema]
    const before = await schemaState(db, schema, migrations)
    tell(`${schema}: ${before.pending.length === 0 ? 'up to date' : `applying ${before.pending.join(', ')}`}`)
    await again(async () => {
      await sql.raw(`create schema if not exists ${escapeIdentifier(schema)}`).execute(db)
      await migrate(db, schema, migrations)
      await sql.raw(rights(schema, role)).execute(db)
    }, tell)
    await giveTimeouts(db, role).catch((error: unknown) => {
      if (codeOf(error) !== NOT_ALLOWED) throw error
      tell(`${schema}: may not set the timeouts of role ${role}, which it needs behind a pooler only (DATABASE_TIMEOUTS)`)
    })
    return { schema, ...(await schemaState(db, schema, migrations)) }
  })

const NOT_ALLOWED = '42501'

/** For sessions that can't ask for them. Those that can, do, and get what they ask for. */
async function giveTimeouts(db: Db, role: string): Promise<void> {
  const wanted = Object.entries(TIMEOUTS).map(([name, millis]) => `${name}=${millis}`)
  const { rows } = await sql<{ database: string; missing: string[] }>`
    select current_database() as database, array(
      select unnest(${wanted}::text[]) except
      select unnest(setconfig) from pg_db_role_setting join pg_roles on setrole = pg_roles.oid left join pg_database on setdatabase = pg_database.oid
      where rolname = ${role} and coalesce(datname, current_database()) = current_database()) as missing
  `.execute(db)
  for (const { database, missing } of rows) {
    for (const setting of missing) await sql.raw(`alter role ${escapeIdentifier(role)} in database ${escapeIdentifier(database)} set ${setting}`).execute(db)
  }
}

/** Rows may be read and written, functions called; nothing may be made, changed or dropped. */
function rights(schema: string, role: string): string {
  const [name, to] = [escapeIdentifier(schema), escapeIdentifier(role)]
  return `
    revoke all on schema ${name} from public;
    grant usage on schema ${name} to ${to};
    grant select, insert, update, delete on all tables in schema ${name} to ${to};
    revoke insert, update, delete on ${name}.migration, ${name}.migration_lock from ${to};
    revoke execute on all functions in schema ${name} from public;
    grant execute on all functions in schema ${name} to ${to};
    alter default privileges in schema ${name} grant select, insert, update, delete on tables to ${to};
    alter default privileges in schema ${name} grant execute on functions to ${to};
  `
}

async function again(work: () => Promise<void>, tell: (line: string) => void): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
      if (!isRepeatable(cause)) throw error
      if (attempt === ATTEMPTS) throw contention(error)
      tell(`tables are in use: trying again (${attempt} of ${ATTEMPTS})`)
    }
  }
}

async function inTurn<One, Result>(all: readonly One[], work: (one: One) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (const one of all) results.push(await work(one))
  return results
}
