import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { withCauses } from '../causes.js'
import { ConfigError } from '../env.js'
import type { Log } from '../log.js'
import { migrate, type Migrations, schemaState } from './migrate.js'
import { missingTimeoutsOrEnd } from './timeouts.js'

/** `apply`: a service brings its schema up to date when it starts. `wait`: somebody else does, and it waits for them. */
export type MigrationMode = 'apply' | 'wait'

type Gate<Schema> = {
  readonly db: Kysely<Schema>
  readonly schema: string
  readonly migrations: Migrations
  readonly mode: MigrationMode
  readonly log: Log
  readonly isLeaving: () => boolean
}

const LOOK_AGAIN_MILLIS = 1_000

async function whatIsMissing<Schema>(db: Kysely<Schema>, schema: string, migrations: Migrations): Promise<string> {
  const { pending } = await schemaState(db, schema, migrations)
  return pending.length > 0 ? pending.join(', ') : ((await missingTimeoutsOrEnd(db)) ?? '')
}

/** Returns once the database has all that this program needs, or the program is told to end. Until then it is not ready. */
export async function schemaIsThere<Schema>({ db, schema, migrations, mode, log, isLeaving }: Gate<Schema>): Promise<void> {
  if (mode === 'apply') {
    const problem = await missingTimeoutsOrEnd(db)
    if (problem !== undefined) throw new ConfigError([`DATABASE_TIMEOUTS: ${problem}`])
    return migrate(db, schema, migrations)
  }
  for (let said = ''; !isLeaving(); await sleep(LOOK_AGAIN_MILLIS)) {
    const missing = await whatIsMissing(db, schema, migrations).catch(unreachable)
    if (missing === '') return
    if (missing !== said) log.warn({ schema, missing }, 'waiting for migrations: run `countersign migrate up` with a role that may')
    said = missing
  }
}

const unreachable = (error: unknown): string => `not known: ${withCauses(error)}`
