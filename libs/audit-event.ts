import type { Caller } from './authorization.js'
import type { AuditEvent } from './postgres/audit.js'
import type { Call } from './rpc/unary.js'

type Change = {
  readonly eventId: string
  /** The type and id of what was changed. */
  readonly type: string
  readonly id: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** The audit event of the method that is being answered. */
export function auditEvent(call: Call, caller: Caller, { eventId, type, id, details = {} }: Change): AuditEvent {
  return {
    organizationId: caller.organizationId,
    id: eventId,
    action: call.path.slice(call.path.lastIndexOf('/') + 1),
    actorIdentityId: caller.identityId,
    actorTokenId: caller.tokenId,
    targetType: type,
    targetId: id,
    details,
    requestId: call.trace.requestId,
  }
}
