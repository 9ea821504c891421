import type { Kysely } from 'kysely'
import type { Authorization } from '../authorization.js'
import { type Report, Violations } from '../domain-error.js'
import { optionalId, optionalTime } from '../fields.js'
import { timeOf } from '../ids.js'
import { type AuditEvent, findAuditScanEnd, listAuditEventsOf } from '../postgres/audit.js'
import { AuditEvent as AuditEventMessage, type ListAuditEventsRequest, type ListAuditEventsResponse } from '../wire/gen/countersign/audit/v1/audit_event.js'
import { pageFrom, pageOf } from './page-token.js'
import type { Unary } from './unary.js'

type Outside<Schema> = { readonly db: Kysely<Schema>; readonly schema: string; readonly authorization: Authorization }

/** ListAuditEvents of whatever service keeps an audit in this schema. */
export function auditEventLister<Schema>({ db, schema, authorization }: Outside<Schema>): Unary<ListAuditEventsRequest, ListAuditEventsResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const filter = {
      identityId: optionalId(request.identityId, wrong.at('identity_id')),
      action: optionalMatch(request.action, METHOD_NAME, wrong.at('action')),
      targetType: optionalMatch(request.targetType, RESOURCE_TYPE, wrong.at('target_type')),
      targetId: optionalId(request.targetId, wrong.at('target_id')),
      startTime: optionalTime(request.startTime, wrong.at('start_time')),
      endTime: optionalTime(request.endTime, wrong.at('end_time')),
    }
    const page = pageOf(request, (field) => wrong.at(field))
    wrong.refuse()
    const attributes: Record<string, string> = filter.identityId === undefined ? {} : { 'identity.id': filter.identityId }
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'audit-log', attributes })
    const scan = { organizationId, ...filter, before: page.after }
    const end = await findAuditScanEnd(db, schema, scan)
    const { items, nextPageToken } = pageFrom(page, await listAuditEventsOf(db, schema, { scan, size: page.size, end }), end)
    return { auditEvents: items.map(toAuditEventMessage), nextPageToken }
  }
}

const METHOD_NAME = /^[A-Z][A-Za-z]{0,63}$/
const RESOURCE_TYPE = /^[a-z0-9._-]{1,64}$/

function optionalMatch(value: string, pattern: RegExp, report: Report): string | undefined {
  if (value === '') return undefined
  if (!pattern.test(value)) report(pattern === METHOD_NAME ? 'must be the name of a method, as CreateBinding' : 'must be a type of resource, as client-secret')
  return value
}

function toAuditEventMessage({ actorIdentityId, actorTokenId, ...event }: AuditEvent): AuditEventMessage {
  return AuditEventMessage.fromPartial({ ...event, createTime: timeOf(event.id), actorIdentityId: actorIdentityId ?? '', actorTokenId: actorTokenId ?? '' })
}
