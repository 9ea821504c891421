import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import { DomainError } from '../domain-error.js'
import type { Ids } from '../ids.js'
import { inTransaction } from '../postgres/transaction.js'
import type { Deadline } from '../rpc/deadline.js'
import type { EntityName, FeedName } from './entities.js'
import { revisionText, SHARD } from './revision.js'

// The owner's side of a change feed: the tables, and how a transaction appends to it.

/**
 * SQL for a migration. A change gets its number from the head row, which a deferred trigger takes at COMMIT, inside the
 * server: so the order of numbers is the order of commits, without a gap, and no process can hold the head across the
 * network. It is the only deferred trigger or constraint there may be, and nothing may SET CONSTRAINTS.
 */
export const changeFeedTables = (schema: string): string => tables(schema) + routines(schema)

const tables = (schema: string): string => `
  create table ${schema}.feed_head (
    shard integer primary key,
    seq bigint not null
  );
  insert into ${schema}.feed_head values (${SHARD}, 0);

  create table ${schema}.feed_change (
    id uuid primary key,
    shard integer not null,
    -- Both from the trigger: nobody ever sees a row without them.
    seq bigint,
    commit_time timestamptz,
    organization_id uuid not null,
    entities text[] not null,
    constraint feed_change_seq_is_unique unique (shard, seq)
  );

  -- One row. The epoch is new after a restore; the earlier bound holds until it has passed once.
  create table ${schema}.feed_setting (
    only_row boolean primary key default true check (only_row),
    epoch uuid not null default gen_random_uuid(),
    bound_millis integer not null default 250,
    earlier_bound_millis integer not null default 250,
    bound_change_time timestamptz not null default '-infinity'
  );
  insert into ${schema}.feed_setting default values;

`

const routines = (schema: string): string => `
  create function ${schema}.take_feed_head() returns trigger language plpgsql set search_path = '' as $$
  declare
    taken bigint;
  begin
    -- A crash that takes commits with it changes no epoch, and would deal their numbers out again.
    if current_setting('synchronous_commit') = 'off' then
      perform set_config('synchronous_commit', 'local', true);
    end if;
    update ${schema}.feed_head set seq = seq + 1 where shard = new.shard returning seq into taken;
    update ${schema}.feed_change set seq = taken, commit_time = clock_timestamp() where id = new.id;
    return null;
  end $$;
  create constraint trigger feed_change_takes_head after insert on ${schema}.feed_change
    deferrable initially deferred for each row execute function ${schema}.take_feed_head();

  -- Numbers of one epoch can be compared. They may be dealt out twice after a failover (the WAL timeline changes), after a
  -- restore (so does the setting, and the table's oid) and on another server (so does the system identifier, which is read
  -- from a file and so kept for the session). A managed server that hides one of them needs this function replaced.
  create function ${schema}.feed_epoch() returns text language plpgsql stable set search_path = pg_catalog as $$
  begin
    if pg_is_in_recovery() then
      raise exception 'this server is a standby' using errcode = 'read_only_sql_transaction';
    end if;
    return left(md5(concat_ws('/',
      coalesce(nullif(current_setting('countersign.system', true), ''),
               set_config('countersign.system', (select system_identifier::text from pg_control_system()), false)),
      left(pg_walfile_name(pg_current_wal_lsn()), 8),
      '${schema}.feed_change'::regclass::oid,
      (select epoch from ${schema}.feed_setting))), 16);
  end $$;
`

/** Where the feed stands, for a statement that reads rows too: both are of its one snapshot. `seq` comes as text. */
export const feedSeq = (schema: string): RawBuilder<string> => sql<string>`(select seq from ${sql.id(schema, 'feed_head')} where shard = ${sql.lit(SHARD)})`
export const feedEpoch = (schema: string): RawBuilder<string> => sql<string>`${sql.id(schema, 'feed_epoch')}()`

/** Names what the transaction changes, in the organization that it changes. */
export type Changed = (organizationId: string, entities: EntityName | readonly EntityName[]) => void

export type ChangeFeed<Schema> = {
  /** Runs `work` in one transaction whose last statement appends what it named, and answers where the feed then stood. */
  commit<T>(deadline: Deadline, work: (tx: Transaction<Schema>, changed: Changed) => Promise<T>): Promise<{ readonly result: T; readonly revision: string }>
}

type Options<Schema> = {
  readonly name: FeedName
  readonly db: Kysely<Schema>
  readonly ids: Ids
  /** Tells replicas that there is something to pull. */
  readonly hint: () => void
}

export function changeFeed<Schema>({ name, db, ids, hint }: Options<Schema>): ChangeFeed<Schema> {
  return {
    commit: async (deadline, work) => {
      const id = ids.next()
      const { result, isAppended } = await inTransaction(db, deadline, async (tx) => {
        const [organizations, entities] = [new Set<string>(), new Set<EntityName>()]
        const done = await work(tx, (organizationId, names) => {
          organizations.add(organizationId)
          for (const name of typeof names === 'string' ? [names] : names) entities.add(name)
        })
        const [organizationId, ...others] = organizations
        if (others.length > 0) throw new Error('a transaction changes one organization')
        if (organizationId !== undefined) await insertChange(tx, name, { id, organizationId, entities: [...entities] })
        return { result: done, isAppended: organizationId !== undefined }
      })
      if (!isAppended) return { result, revision: await revisionNow(db, name) }
      hint()
      return { result, revision: await revisionOf(db, name, id) }
    },
  }
}

const changeLost = (): DomainError =>
  new DomainError('UNAVAILABLE', 'CHANGE_LOST', 'The change was committed, and the database has gone back behind it since: read what holds before you repeat it.')

type NewChange = { readonly id: string; readonly organizationId: string; readonly entities: readonly EntityName[] }

async function insertChange<Schema>(tx: Transaction<Schema>, schema: FeedName, { id, organizationId, entities }: NewChange): Promise<void> {
  await sql`
    insert into ${sql.id(schema, 'feed_change')} (id, shard, organization_id, entities)
    values (${id}, ${SHARD}, ${organizationId}, ${entities}::text[])
  `.execute(tx)
}

type PositionRow = { epoch: string; seq: string }

const textOf = (feed: FeedName, { epoch, seq }: PositionRow): string => revisionText([{ feed, shard: SHARD, epoch, seq: Number(seq) }])

/** Where the feed is with the change, which has its number only since the commit. */
async function revisionOf<Schema>(db: Kysely<Schema>, feed: FeedName, id: string): Promise<string> {
  const { rows } = await sql<PositionRow>`select seq, ${feedEpoch(feed)} as epoch from ${sql.id(feed, 'feed_change')} where id = ${id}`.execute(db)
  const [row] = rows
  if (!row) throw changeLost()
  return textOf(feed, row)
}

async function revisionNow<Schema>(db: Kysely<Schema>, feed: FeedName): Promise<string> {
  const { rows } = await sql<PositionRow>`select ${feedSeq(feed)} as seq, ${feedEpoch(feed)} as epoch`.execute(db)
  const [row] = rows
  if (!row) throw new Error('a statement that always has a row had none')
  return textOf(feed, row)
}
