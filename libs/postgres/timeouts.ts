import { type Kysely, sql } from 'kysely'

// How long the server lets a session wait, which no query of ours should come near. A session asks for them when it is made;
// a pooler passes such wishes on to nobody, so behind one they are settings of the role in the database.

/** Milliseconds, by the names of PostgreSQL's settings. */
export const TIMEOUTS = { statement_timeout: 4_500, lock_timeout: 2_000, idle_in_transaction_session_timeout: 5_000 } as const

/** Who sees to them: each `session`, or the `role`, which has them. */
export type TimeoutsBy = 'session' | 'role'

/** What to do where a session of this database goes without one of them; undefined where all hold. */
export async function missingTimeouts<Schema>(db: Kysely<Schema>): Promise<string | undefined> {
  const names = Object.keys(TIMEOUTS)
  const { rows } = await sql<{ name: string; millis: number; role: string; database: string }>`
    select name, setting::integer as millis, current_user as role, current_database() as database from pg_settings where name = any(${names})
  `.execute(db)
  const [first] = rows
  const missing = Object.entries(TIMEOUTS).filter(([name, most]) => !rows.some((row) => row.name === name && row.millis > 0 && row.millis <= most))
  if (!first || missing.length === 0) return undefined
  const advice = missing.map(([name, millis]) => `alter role ${first.role} in database ${first.database} set ${name} = ${millis}`).join('; ')
  return `sessions have no ${missing.map(([name]) => name).join(', ')}, and behind a pooler (DATABASE_TIMEOUTS=role) the role must: ${advice}; then have the pooler connect anew`
}

/**
 * The same, and the session is ended, since it is of no use: a pooler may have made it before the role had its timeouts, and
 * would hand it out for an hour. One is looked at: of several that a pooler has made, the others may be met later.
 */
export async function missingTimeoutsOrEnd<Schema>(db: Kysely<Schema>): Promise<string | undefined> {
  let missing: string | undefined
  const looked = db.transaction().execute(async (tx) => {
    missing = await missingTimeouts(tx)
    if (missing !== undefined) await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx)
  })
  await looked.catch((error: unknown) => {
    if (missing === undefined) throw error
  })
  return missing
}
