import { type Kysely, type Migration, sql } from 'kysely'

// A new epoch voids all tokens of an identity, or of an organization. Where nothing was ever voided there is no row, and null
// in the token's record: both are compared by `is not distinct from`.
const tables = `
  create table exchange.identity_epoch (
    organization_id uuid not null,
    identity_id uuid not null,
    epoch uuid not null,
    primary key (organization_id, identity_id)
  );

  create table exchange.organization_epoch (
    organization_id uuid primary key,
    epoch uuid not null
  );

  alter table exchange.access_token
    add column identity_epoch uuid,
    add column organization_epoch uuid;
`

export const epochs: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(tables).execute(db)
  },
}
