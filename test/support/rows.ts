import { escapeIdentifier } from 'pg'
import { withClient } from '../../deploy/local/service-databases.js'

// What both services have stored, as the superuser sees it.

type Table = { readonly name: string; readonly key: readonly string[]; readonly columns: readonly string[] }

/** `schema.table` of both services, partitioned ones once, with the columns of the primary key in their order. */
export async function tablesOf(superuserUrl: string): Promise<Table[]> {
  return withClient(superuserUrl, async (client) => {
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
  })
}

const quoted = (table: string): string => table.split('.').map(escapeIdentifier).join('.')

/** Every row of the organization, as JSON, by table; of tables that belong to no organization every row. */
export async function rowsOf(superuserUrl: string, organizationId: string): Promise<Record<string, string[]>> {
  const tables = await tablesOf(superuserUrl)
  return withClient(superuserUrl, async (client) => {
    const rows: Record<string, string[]> = {}
    for (const { name, columns } of tables) {
      const owner = name === 'registry.organization' ? 'id' : columns.find((column) => column === 'organization_id')
      const where = owner ? `where t.${owner} = $1` : 'where $1::uuid is not null'
      const found = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from ${quoted(name)} t ${where} order by 1`, [organizationId])
      rows[name] = found.rows.map(({ row }) => row)
    }
    return rows
  })
}

/** How many rows each table has. */
export async function rowCounts(superuserUrl: string): Promise<Record<string, number>> {
  const tables = await tablesOf(superuserUrl)
  return withClient(superuserUrl, async (client) => {
    const counts: Record<string, number> = {}
    for (const { name } of tables) {
      const { rows } = await client.query<{ count: string }>(`select count(*) from ${quoted(name)}`)
      counts[name] = Number(rows[0]?.count)
    }
    return counts
  })
}

/** Everything that is stored in these tables, as text. */
export async function storedText(superuserUrl: string, isAsked: (table: string) => boolean): Promise<string> {
  const tables = (await tablesOf(superuserUrl)).filter(({ name }) => isAsked(name))
  return withClient(superuserUrl, async (client) => {
    const texts: string[] = []
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from ${quoted(name)} t`)
      texts.push(...rows.map(({ row }) => row))
    }
    return texts.join('\n')
  })
}
