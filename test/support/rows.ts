import { type Client, escapeIdentifier } from 'pg'
import { withClient } from '../../deploy/local/service-databases.js'

// What both services have stored, as the superuser sees it.

type Table = { readonly name: string; readonly key: readonly string[]; readonly columns: readonly string[] }

/** `schema.table` of both services, partitioned ones once, with the columns of the primary key in their order. */
export const tablesOf = (superuserUrl: string): Promise<Table[]> => withClient(superuserUrl, tables)

async function tables(client: Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(`
    select n.nspname || '.' || c.relname as name,
      array(select a.attname::text from pg_index i, unnest(i.indkey) with ordinality as k (attnum, place)
            join pg_attribute a on a.attnum = k.attnum
            where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid order by place) as key,
      array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('registry', 'exchange') and c.relkind in ('r', 'p') and not c.relispartition
    order by 1`)
  return rows
}

const quoted = (table: string): string => table.split('.').map(escapeIdentifier).join('.')

/** How many changes everybody made, which belongs to no organization and changes with each of them. */
const isCounter = (table: string): boolean => table.endsWith('.feed_head')

/** Every row of the organization, as JSON, by table; of tables that belong to no organization every row, but for counters. */
export const rowsOf = (superuserUrl: string, organizationId: string): Promise<Record<string, string[]>> =>
  withClient(superuserUrl, async (client) => {
    const rows: Record<string, string[]> = {}
    for (const { name, columns } of (await tables(client)).filter((table) => !isCounter(table.name))) {
      const owner = name === 'registry.organization' ? 'id' : columns.find((column) => column === 'organization_id')
      const where = owner ? `where t.${owner} = $1` : 'where $1::uuid is not null'
      const query = `select to_jsonb(t)::text as row from ${quoted(name)} t ${where} order by 1`
      const found = await client.query<{ row: string }>(query, [organizationId])
      rows[name] = found.rows.map(({ row }) => row)
    }
    return rows
  })

/** How many rows each table has. */
export const rowCounts = (superuserUrl: string): Promise<Record<string, number>> =>
  withClient(superuserUrl, async (client) => {
    const counts = (await tables(client)).map(({ name }) => `select '${name}' as name, count(*)::int as count from ${quoted(name)}`)
    const { rows } = await client.query<{ name: string; count: number }>(counts.join(' union all '))
    return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
  })

/** Everything that is stored in these tables, as text. */
export const storedText = (superuserUrl: string, isAsked: (table: string) => boolean): Promise<string> =>
  withClient(superuserUrl, async (client) => {
    const texts: string[] = []
    for (const { name } of (await tables(client)).filter((table) => isAsked(table.name))) {
      const { rows } = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from ${quoted(name)} t`)
      texts.push(...rows.map(({ row }) => row))
    }
    return texts.join('\n')
  })
