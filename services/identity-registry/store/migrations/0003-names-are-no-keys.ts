import { type Kysely, type Migration, sql } from 'kysely'

// A column of a unique constraint counts as a key that others may refer to, so that changing it waits for all who refer to the
// row. One of a partial index does not: a rename waits for nobody. No name is null, so that the index still serves look-ups.
const names = `
  alter table registry.project drop constraint project_name_is_unique;
  create unique index project_name_is_unique on registry.project (organization_id, name) where name is not null;

  alter table registry.identity drop constraint identity_name_is_unique;
  create unique index identity_name_is_unique on registry.identity (organization_id, name) where name is not null;
`

export const namesAreNoKeys: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(names).execute(db)
  },
}
