import { auditEventLister } from '#libs/rpc/audit-events.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListAuditEventsRequest, ListAuditEventsResponse } from '#libs/wire/gen/countersign/audit/v1/audit_event.js'
import type { Reading } from '../ports.js'

export const listAuditEvents = ({ db, authorization }: Reading): Unary<ListAuditEventsRequest, ListAuditEventsResponse> =>
  auditEventLister({ db, schema: 'registry', authorization })
