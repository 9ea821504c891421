import { type Kysely, type Migration, sql } from 'kysely'

// Null in a lineage that an earlier version made: its TTL is the time from issue to expiry, since nothing renewed it.
const columns = `
  alter table exchange.access_token
    add column ttl_seconds integer check (ttl_seconds > 0),
    add column renew_time timestamptz(3);
`

export const renewals: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(columns).execute(db)
  },
}
