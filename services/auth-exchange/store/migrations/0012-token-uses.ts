import { type Kysely, type Migration, sql } from 'kysely'
import { keepPartitionsUnless } from '#libs/postgres/partitions.js'

// A periodic lineage may be renewed without end: the day that it began in stays as long as one of that day lives. `first_day`
// is yesterday. Whoever calls the function is of no matter, so that an earlier version beside this one drops no such day either.
const isAlive = `
      if parent = 'access_token' then
        execute format('select exists (select from exchange.%I where period_seconds is not null and revoke_time is null and expire_time >= $1)', child)
          into is_alive using first_day;
        continue when is_alive;
      end if;`

// For a restore, which revokes them. Of no column that a login, a renewal or a use updates.
const limited = 'create index access_token_limited on exchange.access_token (id) where use_limit is not null'

export const tokenUses: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(keepPartitionsUnless('exchange', isAlive)).execute(db)
    await sql.raw(limited).execute(db)
  },
}
