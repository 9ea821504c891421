import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { withCauses } from '../causes.js'
import type { Log } from '../log.js'
import { migrate, type Migrations, schemaState } from './migrate.js'

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

/** Returns once the database has all that this program needs, or the program is told to end. Until then it is not ready. */
export async function schemaIsThere<Schema>({ db, schema, migrations, mode, log, isLeaving }: Gate<Schema>): Promise<void> {
  if (mode === 'apply') return migrate(db, schema, migrations)
  for (let said = ''; !isLeaving(); await sleep(LOOK_AGAIN_MILLIS)) {
    const missing = await schemaState(db, schema, migrations).then(({ pending }) => pending.join(', '), unreachable)
    if (missing === '') return
    if (missing !== said) log.warn({ schema, missing }, 'waiting for migrations: run `countersign migrate up` with a role that may')
    said = missing
  }
}

const unreachable = (error: unknown): string => `not known: ${withCauses(error)}`
