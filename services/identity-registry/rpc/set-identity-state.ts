import { auditEvent } from '#libs/audit-event.js'
import type { Caller } from '#libs/authorization.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Call } from '#libs/rpc/unary.js'
import type { Identity, IdentityState } from '../domain/identity.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { lockIdentity, updateIdentity } from '../store/identities.js'

type Change = { readonly caller: Caller; readonly id: string; readonly state: IdentityState; readonly method: 'EnableIdentity' | 'DisableIdentity' }

/** What enabling and disabling share: one locked change, and none where the identity is in that state already. */
export function setIdentityState({ feed, ids, clock }: Writing, call: Call, { caller, id, state, method }: Change): Promise<{ result: Identity; revision: string }> {
  return feed.commit(call.deadline, async (tx, changed) => {
    const stored = await lockIdentity(tx, { organizationId: caller.organizationId, id })
    if (stored.state === state) return stored
    const updated = { ...stored, state, updateTime: clock.now(), etag: ids.next() }
    await updateIdentity(tx, updated)
    changed(caller.organizationId, changedInRegistry[method](id))
    await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'identity', id }))
    return updated
  })
}
