import { type Kysely, type Migration, sql } from 'kysely'

// Every column has a default, so that an earlier version goes on beside it. Null in a limit: none; in a period: not periodic.
const everywhere = `'{0.0.0.0/0,::/0}'`

const tables = `
  alter table exchange.universal_auth
    add column access_token_use_limit integer check (access_token_use_limit > 0),
    add column access_token_period_seconds integer check (access_token_period_seconds > 0),
    add column access_token_trusted_ips text[] not null default ${everywhere} check (cardinality(access_token_trusted_ips) > 0),
    add column client_secret_trusted_ips text[] not null default ${everywhere} check (cardinality(client_secret_trusted_ips) > 0),
    add column lockout_enabled boolean not null default true,
    add column lockout_threshold integer not null default 3 check (lockout_threshold between 1 and 30),
    add column lockout_duration_seconds integer not null default 300 check (lockout_duration_seconds between 30 and 86400),
    add column lockout_counter_reset_seconds integer not null default 30 check (lockout_counter_reset_seconds between 5 and 3600);

  -- Null in trusted_ips: those of the method.
  alter table exchange.client_secret
    add column trusted_ips text[] check (cardinality(trusted_ips) > 0),
    add column last_used_address text;

  -- Any method but Universal Auth, at most one of each on an identity. The row is the credential that its tokens name.
  create table exchange.auth_method (
    organization_id uuid not null,
    identity_id uuid not null,
    method text not null check (method <> 'universal-auth'),
    id uuid not null,
    access_token_ttl_seconds integer not null check (access_token_ttl_seconds > 0),
    access_token_max_ttl_seconds integer not null check (access_token_max_ttl_seconds >= access_token_ttl_seconds),
    access_token_use_limit integer check (access_token_use_limit > 0),
    access_token_period_seconds integer check (access_token_period_seconds > 0),
    access_token_trusted_ips text[] not null check (cardinality(access_token_trusted_ips) > 0),
    configuration jsonb not null,
    sealed_configuration bytea,
    key_encryption_key_id text,
    epoch uuid not null,
    create_time timestamptz(3) not null,
    update_time timestamptz(3) not null,
    etag uuid not null,
    constraint auth_method_is_unique primary key (organization_id, identity_id, method)
  );

  -- max_expire_time is null in a periodic lineage, which ends when nobody renews it. No index contains what a use updates.
  alter table exchange.access_token
    add column name text,
    add column use_limit integer check (use_limit > 0),
    add column uses integer not null default 0 check (uses >= 0 and (use_limit is null or uses <= use_limit)),
    add column period_seconds integer check (period_seconds > 0),
    add column last_used_time timestamptz(3),
    alter column max_expire_time drop not null;
`

export const authMethods: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(tables).execute(db)
  },
}
