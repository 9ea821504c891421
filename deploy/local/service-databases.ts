import { Client, escapeIdentifier, escapeLiteral } from 'pg'

export type ServiceRole = { readonly role: string; readonly password: string; readonly schema: string }
export type ServiceDatabase = { readonly database: string; readonly roles: readonly ServiceRole[] }

// The same for all that prepare databases on one server: two at once would trip over each other in the catalog.
const ONE_AT_A_TIME = 4_207_849

/**
 * Makes the database and a login role for each service that are not there yet, and sets the roles' passwords. A role owns
 * its schema and can do nothing with the others'.
 */
export async function prepareServiceDatabase(superuserUrl: string, { database, roles }: ServiceDatabase): Promise<void> {
  await withClient(superuserUrl, async (server) => {
    await server.query(`select pg_advisory_lock(${ONE_AT_A_TIME})`)
    for (const { role, password } of roles) await ensureRole(server, role, password)
    const { rowCount } = await server.query('select from pg_database where datname = $1', [database])
    if (rowCount === 0) await server.query(`create database ${escapeIdentifier(database)}`)
    await allowOnly(server, { database, roles })
    await withClient(urlOf(superuserUrl, { database }), (client) => ensureSchemas(client, roles))
  })
}

/** Lets nobody but the roles connect to the database. A clone of a database needs this again: the rights aren't cloned. */
export async function allowOnly(server: Client, { database, roles }: ServiceDatabase): Promise<void> {
  await server.query(`revoke all on database ${escapeIdentifier(database)} from public`)
  for (const { role } of roles) await server.query(`grant connect on database ${escapeIdentifier(database)} to ${escapeIdentifier(role)}`)
}

/** The same server by another database, or as another user. */
export function urlOf(url: string, other: { database: string; role?: string; password?: string }): string {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(other.database)}`
  if (other.role !== undefined) changed.username = encodeURIComponent(other.role)
  if (other.password !== undefined) changed.password = encodeURIComponent(other.password)
  return changed.href
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // A connection that is lost while it waits would end the process; what it was used for fails by itself.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function ensureRole(server: Client, role: string, password: string): Promise<void> {
  const name = escapeIdentifier(role)
  const { rowCount } = await server.query('select from pg_roles where rolname = $1', [role])
  if (rowCount === 0) await server.query(`create role ${name}`)
  const rights = 'login nosuperuser nocreatedb nocreaterole noreplication nobypassrls'
  await server.query(`alter role ${name} with ${rights} password ${escapeLiteral(password)}`)
}

async function ensureSchemas(client: Client, roles: readonly ServiceRole[]): Promise<void> {
  await client.query('revoke all on schema public from public')
  for (const { role, schema } of roles) {
    const [owner, name] = [escapeIdentifier(role), escapeIdentifier(schema)]
    await client.query(`create schema if not exists ${name} authorization ${owner}`)
    await client.query(`alter schema ${name} owner to ${owner}`)
    await client.query(`revoke all on schema ${name} from public`)
  }
}
