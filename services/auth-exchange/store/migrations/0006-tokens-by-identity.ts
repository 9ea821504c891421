import { type Kysely, type Migration, sql } from 'kysely'

// Of no column that a login, a renewal or a use updates.
const index = `
  create index access_token_by_identity on exchange.access_token (organization_id, identity_id, id);
`

export const tokensByIdentity: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(index).execute(db)
  },
}
