import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import { codeOf } from './errors.js'

export type Migrations = Readonly<Record<string, Migration>>

/** What of a program's migrations a database has: `unknown` are those that a later program brought. */
export type SchemaState = { readonly applied: readonly string[]; readonly pending: readonly string[]; readonly unknown: readonly string[] }

// Neither the table nor the schema is there yet.
const NOTHING_THERE = new Set(['42P01', '3F000'])

export async function schemaState<Schema>(db: Kysely<Schema>, schema: string, migrations: Migrations): Promise<SchemaState> {
  const query = sql<{ name: string }>`select name from ${sql.id(schema, 'migration')} order by name`
  const rows = await query.execute(db).then((found) => found.rows, (error: unknown) => {
    if (NOTHING_THERE.has(codeOf(error))) return []
    throw error
  })
  const [own, there] = [Object.keys(migrations).sort(), rows.map(({ name }) => name)]
  return {
    applied: own.filter((name) => there.includes(name)),
    pending: own.filter((name) => !there.includes(name)),
    unknown: there.filter((name) => !own.includes(name)),
  }
}

/**
 * Brings the schema up to date: forward only, in order of name, under a lock that other replicas wait for. Where a later
 * program has brought more than this one knows, nothing is done: what it brought is made for both.
 */
export async function migrate<Schema>(db: Kysely<Schema>, schema: string, migrations: Migrations): Promise<void> {
  if ((await schemaState(db, schema, migrations)).pending.length === 0) return
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    migrationTableSchema: schema,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'the first one'
  throw new Error(`Migration ${failed} of schema ${schema} failed: ${error instanceof Error ? error.message : 'see its cause'}`, { cause: error })
}
