import { type Kysely, type Migration, sql } from 'kysely'

// A key is prepared before it signs, and the private half of a retired one is gone. Of keys that an earlier version made the
// times are null; what it retired, an operator retired by hand and earlier than now.
const states = `
  alter table exchange.signing_key
    drop constraint signing_key_state_check,
    add constraint signing_key_state_is_known check (state in ('prepared', 'active', 'retired')),
    alter column sealed_private_key drop not null,
    add column activate_time timestamptz(3),
    add column retire_time timestamptz(3);
  update exchange.signing_key set retire_time = clock_timestamp() where state = 'retired';
  create unique index signing_key_prepared_is_unique on exchange.signing_key (state) where state = 'prepared';
`

export const keyStates: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(states).execute(db)
  },
}
