import { type AuditEvent, insertAuditEventInto, insertAuditEventsInto } from '#libs/postgres/audit.js'
import type { Db, Tx } from './schema.js'

export const insertAuditEvent = (tx: Tx, event: AuditEvent): Promise<void> => insertAuditEventInto(tx, 'exchange', event)

export const insertAuditEvents = (db: Db, events: readonly AuditEvent[]): Promise<void> => insertAuditEventsInto(db, 'exchange', events)
