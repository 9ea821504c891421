import { type Kysely, type Migration, sql } from 'kysely'

// Failed logins before it count no more, in the memory of any replica. Null: they were never cleared.
const column = `
  alter table exchange.universal_auth add column lockout_clear_time timestamptz(3);
`

export const lockouts: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(column).execute(db)
  },
}
