import { Metadata } from '@grpc/grpc-js'
import { createRpcClient, type UnaryMethod } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { traceOf } from '#libs/rpc/trace.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { bearer } from '../support/calls.js'

// What both owners promise of their audit trail, looked at with the superuser's eyes.

type Schema = 'registry' | 'exchange'

/** Calls that all carry one request id. */
export type NamedCalls = <Request, Response>(method: UnaryMethod<Request, Response>, request: Request) => Promise<Response>

type To = { readonly address: string; readonly token?: string; readonly requestId: string }

/** Makes calls with a token (or none) under a request id, and closes the connection. */
export async function underRequestId<T>(to: To, work: (by: NamedCalls) => Promise<T>): Promise<T> {
  const client = createRpcClient({ address: to.address, headers: to.token === undefined ? {} : bearer(to.token) })
  try {
    return await work((method, request) =>
      client.unary(method, request, { deadline: deadlineOf(Infinity, 10_000), trace: { ...traceOf(new Metadata()), requestId: to.requestId } }))
  } finally {
    client.close()
  }
}

const COLUMNS = 'organization_id, action, actor_identity_id, actor_token_id, target_type, target_id, details'

/** The audit events of one request. */
export function auditEvents(url: string, schema: Schema, requestId: string): Promise<unknown[]> {
  const query = `select ${COLUMNS} from ${schema}.audit_event where request_id = $1`
  return withClient(url, async (client) => (await client.query(query, [requestId])).rows)
}

export type Row = { readonly table: string; readonly column: string; readonly id: string }

/** Whether one transaction wrote the audit event of the request and, last, the row; true where the row is not there any more. */
export function isOneTransaction(url: string, schema: Schema, requestId: string, { table, column, id }: Row): Promise<boolean> {
  return withClient(url, async (client) => {
    const query = `
      select a.xmin::text = t.xmin::text as same
      from ${schema}.audit_event a, ${schema}.${table} t where a.request_id = $1 and t.${column} = $2`
    const { rows } = await client.query<{ same: boolean }>(query, [requestId, id])
    return rows.every(({ same }) => same)
  })
}

/** Runs `work` while no audit event can be written. */
export async function withoutAudit<T>(url: string, schema: Schema, work: () => Promise<T>): Promise<T> {
  const alter = (change: string) => withClient(url, (client) => client.query(`alter table ${schema}.audit_event ${change}`))
  await alter('add constraint nothing_fits check (false) not valid')
  try {
    return await work()
  } finally {
    await alter('drop constraint nothing_fits')
  }
}

const TABLES: Record<Schema, readonly string[]> = {
  registry: ['organization', 'project', 'identity', 'role', 'binding', 'bound_role', 'audit_event'],
  exchange: ['client_locator', 'universal_auth', 'auth_method', 'client_secret', 'wrapped_secret', 'access_token', 'identity_epoch', 'organization_epoch', 'principal', 'audit_event'],
}

/** A digest of every row of every table of the schema. */
export function contentOf(url: string, schema: Schema): Promise<Record<string, string>> {
  return withClient(url, async (client) => {
    const digests: Record<string, string> = {}
    for (const table of TABLES[schema]) {
      const all = "coalesce(string_agg(t::text, '|' order by t::text), '')"
      const { rows } = await client.query<{ digest: string }>(`select md5(${all}) as digest from ${schema}.${table} t`)
      digests[table] = rows[0]?.digest ?? ''
    }
    return digests
  })
}
