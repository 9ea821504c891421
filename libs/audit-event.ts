import type { Caller } from './authorization.js'
import { INSTALLATION } from './ids.js'
import type { AuditEvent } from './postgres/audit.js'
import type { Call } from './rpc/unary.js'

type Change = {
  readonly eventId: string
  /** The type and id of what was changed. */
  readonly type: string
  readonly id: string
  readonly details?: Readonly<Record<string, unknown>>
}

type InstallationChange = Pick<AuditEvent, 'id' | 'action' | 'details' | 'requestId'> & { readonly type: string }

/** The audit event of what belongs to no organization, done by the installation or by its operator. */
export const installationEvent = ({ type, ...done }: InstallationChange): AuditEvent => ({
  ...done,
  organizationId: INSTALLATION,
  actorIdentityId: null,
  actorTokenId: null,
  targetType: type,
  targetId: INSTALLATION,
})

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
