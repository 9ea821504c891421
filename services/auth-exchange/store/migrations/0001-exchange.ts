import { type Kysely, type Migration, sql } from 'kysely'
import { auditEventTable } from '#libs/postgres/audit.js'
import { keepPartitionsFunction } from '#libs/postgres/partitions.js'

const tables = `
  create table exchange.client_locator (
    client_id uuid primary key,
    organization_id uuid not null,
    identity_id uuid not null
  );

  create table exchange.universal_auth (
    organization_id uuid not null,
    identity_id uuid not null,
    client_id uuid not null references exchange.client_locator,
    access_token_ttl_seconds integer not null check (access_token_ttl_seconds > 0),
    access_token_max_ttl_seconds integer not null check (access_token_max_ttl_seconds >= access_token_ttl_seconds),
    epoch uuid not null,
    create_time timestamptz(3) not null,
    update_time timestamptz(3) not null,
    etag uuid not null,
    constraint universal_auth_is_unique primary key (organization_id, identity_id)
  );

  -- Room on each page, so that counting a use rewrites the row in place (HOT): no index contains what a login updates.
  create table exchange.client_secret (
    organization_id uuid not null,
    id uuid not null,
    identity_id uuid not null,
    description text not null,
    digest bytea not null,
    pepper_id text not null,
    argon2_hash bytea not null,
    argon2_salt bytea not null,
    argon2_parameters jsonb not null,
    use_limit integer check (use_limit > 0),
    uses integer not null check (uses >= 0 and (use_limit is null or uses <= use_limit)),
    expire_time timestamptz(3),
    last_used_time timestamptz(3),
    revoke_time timestamptz(3),
    epoch uuid not null,
    create_time timestamptz(3) not null,
    constraint client_secret_is_unique primary key (organization_id, id),
    foreign key (organization_id, identity_id) references exchange.universal_auth on delete cascade
  ) with (fillfactor = 70);
  create index client_secret_by_identity on exchange.client_secret (organization_id, identity_id, id);

  create table exchange.access_token (
    organization_id uuid not null,
    id uuid not null,
    identity_id uuid not null,
    method text not null,
    credential_id uuid not null,
    credential_epoch uuid not null,
    method_epoch uuid not null,
    issue_time timestamptz(3) not null,
    expire_time timestamptz(3) not null,
    max_expire_time timestamptz(3) not null,
    revoke_time timestamptz(3),
    primary key (organization_id, id)
  ) partition by range (id);

  create table exchange.signing_key (
    kid text primary key,
    state text not null check (state in ('active', 'retired')),
    public_jwk jsonb not null,
    sealed_private_key bytea not null,
    key_encryption_key_id text not null,
    create_time timestamptz(3) not null
  );
  create unique index signing_key_active_is_unique on exchange.signing_key (state) where state = 'active';
`

export const exchange: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(tables).execute(db)
    await sql.raw(auditEventTable('exchange')).execute(db)
    await sql.raw(keepPartitionsFunction('exchange')).execute(db)
  },
}
