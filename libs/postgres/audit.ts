import { sql, type Transaction } from 'kysely'

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
