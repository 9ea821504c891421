import type { Tx } from './schema.js'

/** What was changed, by whom, in whose name: written in the transaction of the change. */
export type AuditEvent = {
  readonly organizationId: string
  readonly id: string
  readonly action: string
  readonly actorIdentityId: string | null
  readonly actorTokenId: string | null
  readonly targetType: string
  readonly targetId: string
  readonly details: Readonly<Record<string, unknown>>
  readonly requestId: string
}

export async function insertAuditEvent(tx: Tx, event: AuditEvent): Promise<void> {
  await tx.insertInto('auditEvent').values({ ...event, details: JSON.stringify(event.details) }).execute()
}
