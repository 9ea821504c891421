import { type Kysely, type Migration, sql } from 'kysely'

// Names are compared by their bytes, whatever the collation of the database is.
const tables = `
  create table exchange.principal (
    organization_id uuid not null,
    id uuid not null,
    identity_id uuid not null,
    name text collate "C" not null check (octet_length(name) between 1 and 512),
    create_time timestamptz(3) not null,
    primary key (organization_id, id),
    constraint principal_name_is_unique unique (organization_id, name)
  );
  create index principal_by_identity on exchange.principal (organization_id, identity_id, id);
`

export const principals: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(tables).execute(db)
  },
}
