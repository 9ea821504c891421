import { type Kysely, type Migration, Migrator } from 'kysely'

/** Brings the schema up to date: forward only, in order of name, under a lock that other replicas wait for. */
export async function migrate<Schema>(db: Kysely<Schema>, schema: string, migrations: Record<string, Migration>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableSchema: schema,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'the first one'
  throw new Error(`Migration ${failed} of schema ${schema} failed: ${error instanceof Error ? error.message : 'see its cause'}`, { cause: error })
}
