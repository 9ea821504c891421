import { type Kysely, type Migration, sql } from 'kysely'

// A workload that shows an assertion says which identity it is, and nothing of an organization: an identity is of one alone.
// What an assertion proved is frozen in its tokens; null: nothing that rules may speak of.
const assertions = `
  create unique index auth_method_by_identity on exchange.auth_method (identity_id, method);

  alter table exchange.access_token
    add column auth_claims jsonb;
`

export const assertionsOfIdentities: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(assertions).execute(db)
  },
}
