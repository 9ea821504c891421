import { type Kysely, sql } from 'kysely'

// Tables in time order are partitioned by day on their UUIDv7 key, so that old rows expire by DROP. A day's first key is
// its first millisecond followed by zeros.

const DAY_MILLIS = 86_400_000

/** SQL for a migration: `SCHEMA.keep_partitions(table, first, last, oldest)` makes and drops the daily partitions of a table. */
export const keepPartitionsFunction = (schema: string): string => `
  create function ${schema}.first_key(day date) returns uuid language sql immutable strict return
    (lpad(to_hex((extract(epoch from day) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

  ${keepPartitionsIn(schema, { as: 'create function' })}
`

/** The same for a later migration, with a statement that may `continue` with the next `child`, which is then not dropped. */
export const keepPartitionsUnless = (schema: string, unless: string): string => keepPartitionsIn(schema, { as: 'create or replace function', unless })

const keepPartitionsIn = (schema: string, { as, unless = '' }: { readonly as: string; readonly unless?: string }): string => `${as} ${schema}.keep_partitions(parent text, first_day date, last_day date, oldest_day date)
  returns void language plpgsql security definer set search_path = ${schema}, pg_temp as $$
  declare
    day date;
    child text;
    is_alive boolean;
  begin
    perform pg_advisory_xact_lock(hashtextextended('${schema}.' || parent, 0));
    for day in select generate_series(first_day, last_day, interval '1 day')::date loop
      child := parent || '_' || to_char(day, 'YYYYMMDD');
      if to_regclass('${schema}.' || child) is null then
        execute format('create table ${schema}.%I (like ${schema}.%I including all)', child, parent);
        execute format('alter table ${schema}.%I attach partition ${schema}.%I for values from (%L) to (%L)',
          parent, child, first_key(day), first_key(day + 1));
      end if;
    end loop;
    for child in
      select relname from pg_class join pg_inherits on inhrelid = oid
      where inhparent = ('${schema}.' || parent)::regclass and right(relname, 8) < to_char(oldest_day, 'YYYYMMDD')
    loop
      ${unless}
      execute format('alter table ${schema}.%I detach partition ${schema}.%I', parent, child);
      execute format('drop table ${schema}.%I', child);
    end loop;
  end $$;
`

export type Partitioned = { readonly schema: string; readonly table: string; readonly keepDays: number }

/** Makes partitions from yesterday to a fortnight ahead, and drops what is older than `keepDays`. */
export async function keepPartitions<Schema>(db: Kysely<Schema>, { schema, table, keepDays }: Partitioned, now: Date): Promise<void> {
  const day = (offset: number) => new Date(now.getTime() + offset * DAY_MILLIS).toISOString().slice(0, 10)
  const routine = sql.id(schema, 'keep_partitions')
  await sql`select ${routine}(${table}, ${day(-1)}::date, ${day(14)}::date, ${day(-keepDays)}::date)`.execute(db)
}
