import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import { firstIdOf } from '../ids.js'

/** What was changed, by whom, in whose name: written in the transaction of the change. */
export type AuditEvent = {
  readonly organizationId: string
  readonly id: string
  /** The method, `CreateBinding`. */
  readonly action: string
  /** Null for what the operator of the installation did. */
  readonly actorIdentityId: string | null
  readonly actorTokenId: string | null
  readonly targetType: string
  readonly targetId: string
  readonly details: Readonly<Record<string, unknown>>
  /** Empty where the event counts many calls. */
  readonly requestId: string
}

/** SQL for a migration: a service's table of audit events, partitioned by day on its UUIDv7 key. */
export const auditEventTable = (schema: string): string => `
  create table ${schema}.audit_event (
    organization_id uuid not null,
    id uuid not null,
    action text not null,
    actor_identity_id uuid,
    actor_token_id uuid,
    target_type text not null,
    target_id uuid not null,
    details jsonb not null,
    request_id text not null,
    primary key (organization_id, id)
  ) partition by range (id);
`

export async function insertAuditEventInto<Schema>(tx: Transaction<Schema>, schema: string, event: AuditEvent): Promise<void> {
  const { organizationId, id, action, actorIdentityId, actorTokenId, targetType, targetId, details, requestId } = event
  await sql`
    insert into ${sql.id(schema, 'audit_event')}
      (organization_id, id, action, actor_identity_id, actor_token_id, target_type, target_id, details, request_id)
    values (${organizationId}, ${id}, ${action}, ${actorIdentityId}, ${actorTokenId}, ${targetType}, ${targetId}, ${JSON.stringify(details)}, ${requestId})
  `.execute(tx)
}

/** The same for many at once, by one statement. */
export async function insertAuditEventsInto<Schema>(db: Kysely<Schema>, schema: string, events: readonly AuditEvent[]): Promise<void> {
  const all = events.map((event) => ({
    organization_id: event.organizationId,
    id: event.id,
    action: event.action,
    actor_identity_id: event.actorIdentityId,
    actor_token_id: event.actorTokenId,
    target_type: event.targetType,
    target_id: event.targetId,
    details: event.details,
    request_id: event.requestId,
  }))
  const table = sql.id(schema, 'audit_event')
  await sql`insert into ${table} select * from jsonb_populate_recordset(null::${table}, ${JSON.stringify(all)}::jsonb)`.execute(db)
}

/** What is asked for, from the newest on, or from the one before `before` on. */
export type AuditScan = {
  readonly organizationId: string
  /** Who did it, or whom it was done to. */
  readonly identityId: string | undefined
  readonly action: string | undefined
  readonly targetType: string | undefined
  readonly targetId: string | undefined
  readonly startTime: Date | undefined
  readonly endTime: Date | undefined
  readonly before: string | undefined
}

export type AuditPage = { readonly scan: AuditScan; readonly size: number; readonly end: string | undefined }

/** Among how many events one page looks for those that are asked for. */
const SCANNED = 5_000

/** Where the scan of one page ends, if there are more events behind it. */
export async function findAuditScanEnd<Schema>(db: Kysely<Schema>, schema: string, scan: AuditScan): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from ${sql.id(schema, 'audit_event')} where ${all(within(scan))} order by id desc offset ${SCANNED - 1} limit 1
  `.execute(db)
  return rows[0]?.id
}

/** Up to `size + 1` events, newest first, none before `end`. */
export async function listAuditEventsOf<Schema>(db: Kysely<Schema>, schema: string, page: AuditPage): Promise<AuditEvent[]> {
  const { scan, size, end } = page
  const { identityId, action, targetType, targetId } = scan
  const conditions = [
    ...within(scan),
    ...(end === undefined ? [] : [sql`id >= ${end}`]),
    ...(identityId === undefined ? [] : [sql`(actor_identity_id = ${identityId} or target_id = ${identityId})`]),
    ...(action === undefined ? [] : [sql`action = ${action}`]),
    ...(targetType === undefined ? [] : [sql`target_type = ${targetType}`]),
    ...(targetId === undefined ? [] : [sql`target_id = ${targetId}`]),
  ]
  const { rows } = await sql<AuditEvent>`
    select * from ${sql.id(schema, 'audit_event')} where ${all(conditions)} order by id desc limit ${size + 1}
  `.execute(db)
  return rows
}

const all = (conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> => sql.join(conditions, sql` and `)

// By id alone, which is the order of time, so that no other partition is looked into.
const within = ({ organizationId, startTime, endTime, before }: AuditScan): RawBuilder<unknown>[] => [
  sql`organization_id = ${organizationId}`,
  ...(startTime === undefined ? [] : [sql`id >= ${firstIdOf(startTime)}`]),
  ...(endTime === undefined ? [] : [sql`id < ${firstIdOf(endTime)}`]),
  ...(before === undefined ? [] : [sql`id < ${before}`]),
]
