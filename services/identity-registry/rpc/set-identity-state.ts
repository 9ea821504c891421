import { auditEvent } from '#libs/audit-event.js'
import type { Caller, Question } from '#libs/authorization.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Call } from '#libs/rpc/unary.js'
import type { Identity, IdentityState } from '../domain/identity.js'
import type { Writing } from '../ports.js'
import { lockHolder } from '../store/anchors.js'
import { insertAuditEvent } from '../store/audit.js'
import { getIdentity, lockIdentity, updateIdentity } from '../store/identities.js'
import { guarded } from './guarded.js'

type Change = {
  readonly caller: Caller
  readonly about: Omit<Question, 'action'>
  readonly id: string
  readonly state: IdentityState
  readonly method: 'EnableIdentity' | 'DisableIdentity'
}

/** What enabling and disabling share: one change, and none where the identity is in that state already. */
export function setIdentityState({ feed, ids, clock }: Writing, call: Call, { caller, about, id, state, method }: Change): Promise<{ result: Identity; revision: string }> {
  const now = clock.now()
  const key = { organizationId: caller.organizationId, id }
  return feed.commit(call.deadline, async (tx, changed) => {
    const found = await getIdentity(tx, key)
    if (found.state === state) return found
    const set = async () => {
      const stored = await lockIdentity(tx, key)
      if (stored.state === state) return stored
      const updated = { ...stored, state, updateTime: now, etag: ids.next() }
      await updateIdentity(tx, updated)
      changed(caller.organizationId, changedInRegistry[method](id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'identity', id }))
      return updated
    }
    // Whoever is active again holds all that it is bound to.
    if (state === 'active') return guarded(tx, { caller, about, now, recipient: { identityId: id, scopes: 'everywhere', before: 'nothing' } }, set)
    await lockHolder(tx, caller.organizationId, id)
    return set()
  })
}
