import type { Caller } from '#libs/authorization.js'
import type { Ids } from '#libs/ids.js'
import type { Call } from '#libs/rpc/unary.js'
import type { AuditEvent } from '../store/audit.js'

type Target = { readonly type: string; readonly id: string; readonly details?: Readonly<Record<string, unknown>> }

/** The audit event of the method that is being answered. */
export function auditEvent(call: Call, caller: Caller, ids: Ids, target: Target): AuditEvent {
  return {
    organizationId: caller.organizationId,
    id: ids.next(),
    action: call.path.slice(call.path.lastIndexOf('/') + 1),
    actorIdentityId: caller.identityId,
    actorTokenId: caller.tokenId,
    targetType: target.type,
    targetId: target.id,
    details: target.details ?? {},
    requestId: call.trace.requestId,
  }
}
