import { type Kysely, type Migration, sql } from 'kysely'

// A rotated secret names its successor. A wrapped secret is found by the digest of its wrapping token alone: whoever has the
// token need not know of which organization it is.
const tables = `
  alter table exchange.client_secret add column successor_id uuid;

  create table exchange.wrapped_secret (
    organization_id uuid not null,
    client_secret_id uuid not null,
    identity_id uuid not null,
    digest bytea not null,
    sealed_secret bytea,
    create_time timestamptz(3) not null,
    expire_time timestamptz(3) not null,
    unwrap_time timestamptz(3),
    refusals integer not null,
    primary key (organization_id, client_secret_id),
    constraint wrapped_secret_digest_is_unique unique (digest),
    foreign key (organization_id, client_secret_id) references exchange.client_secret on delete cascade
  );
  create index wrapped_secret_by_expire_time on exchange.wrapped_secret (expire_time);
`

export const wrappedSecrets: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(tables).execute(db)
  },
}
