import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLog } from '#libs/log.js'
import { connectDatabase } from '#libs/postgres/database.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { freshDatabase, type FreshDatabase } from '../support/postgres.js'
import { until } from '../support/running-processes.js'

let database: FreshDatabase

beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

const count = (query: string, values: unknown[]) => withClient(database.superuserUrl, async (client) => (await client.query(query, values)).rowCount)

// Seen without the listener for connections in use: the process ends, which vitest reports as an unhandled error.
it('a connection that is lost between two statements of a transaction fails the second, and the next transaction is none the wiser', async () => {
  const log = createLog({ service: 'test', level: 'silent' })
  const db = connectDatabase({ url: database.registryUrl, schema: 'registry', log, poolSize: 1, prepare: true })
  const pidOf = sql<{ pid: number }>`select pg_backend_pid() as pid`
  try {
    const lost = db.transaction().execute(async (tx) => {
      const [row] = (await pidOf.execute(tx)).rows
      const pid = row?.pid ?? 0
      await count('select pg_terminate_backend($1)', [pid])
      await until(async () => (await count('select from pg_stat_activity where pid = $1', [pid])) === 0)
      await pidOf.execute(tx)
    })
    await expect(lost).rejects.toMatchObject({ kind: 'UNAVAILABLE', reason: 'DATABASE_UNAVAILABLE' })
    expect((await db.transaction().execute((tx) => pidOf.execute(tx))).rows).toHaveLength(1)
  } finally {
    await db.destroy()
  }
})
