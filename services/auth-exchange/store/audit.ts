import { type AuditEvent, insertAuditEventInto } from '#libs/postgres/audit.js'
import type { Tx } from './schema.js'

export const insertAuditEvent = (tx: Tx, event: AuditEvent): Promise<void> => insertAuditEventInto(tx, 'exchange', event)
