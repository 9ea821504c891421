import { type Kysely, type Migration, sql } from 'kysely'
import { auditEventTable } from '#libs/postgres/audit.js'
import { keepPartitionsFunction } from '#libs/postgres/partitions.js'

const tables = `
  create table registry.organization (
    id uuid primary key,
    name text not null,
    create_time timestamptz(3) not null,
    update_time timestamptz(3) not null,
    etag uuid not null
  );

  create table registry.project (
    organization_id uuid not null references registry.organization on delete cascade,
    id uuid not null,
    name text not null,
    create_time timestamptz(3) not null,
    update_time timestamptz(3) not null,
    etag uuid not null,
    primary key (organization_id, id),
    constraint project_name_is_unique unique (organization_id, name)
  );

  create table registry.identity (
    organization_id uuid not null references registry.organization on delete cascade,
    id uuid not null,
    name text not null,
    state text not null check (state in ('active', 'disabled')),
    create_time timestamptz(3) not null,
    update_time timestamptz(3) not null,
    etag uuid not null,
    primary key (organization_id, id),
    constraint identity_name_is_unique unique (organization_id, name)
  );

  create table registry.role (
    organization_id uuid not null references registry.organization on delete cascade,
    id uuid not null,
    project_id uuid,
    name text not null,
    description text not null,
    rules jsonb not null,
    create_time timestamptz(3) not null,
    update_time timestamptz(3) not null,
    etag uuid not null,
    primary key (organization_id, id),
    constraint role_project_exists foreign key (organization_id, project_id) references registry.project on delete cascade,
    constraint role_name_is_unique unique nulls not distinct (organization_id, project_id, name)
  );

  create table registry.binding (
    organization_id uuid not null references registry.organization on delete cascade,
    id uuid not null,
    identity_id uuid not null,
    project_id uuid,
    create_time timestamptz(3) not null,
    update_time timestamptz(3) not null,
    etag uuid not null,
    primary key (organization_id, id),
    constraint binding_identity_exists foreign key (organization_id, identity_id) references registry.identity on delete cascade,
    constraint binding_project_exists foreign key (organization_id, project_id) references registry.project on delete cascade,
    constraint binding_is_unique unique nulls not distinct (organization_id, identity_id, project_id)
  );
  create index binding_by_project on registry.binding (organization_id, project_id, id);

  -- A role is a row of registry.role or built into the product, so there is no foreign key: binding locks the role's row.
  create table registry.bound_role (
    organization_id uuid not null,
    binding_id uuid not null,
    role_id uuid not null,
    start_time timestamptz(3),
    end_time timestamptz(3),
    primary key (organization_id, binding_id, role_id),
    foreign key (organization_id, binding_id) references registry.binding on delete cascade
  );
  create index bound_role_by_role on registry.bound_role (organization_id, role_id);
`

export const registry: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(tables).execute(db)
    await sql.raw(auditEventTable('registry')).execute(db)
    await sql.raw(keepPartitionsFunction('registry')).execute(db)
  },
}
