import type { Ids } from '#libs/ids.js'
import type { AuditEvent } from '#libs/postgres/audit.js'
import type { FailureTallies, FailureTally } from '../domain/login-failures.js'
import { UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import { insertAuditEvents } from '../store/audit.js'
import type { ClientLocator, Db } from '../store/schema.js'
import { listClientLocators } from '../store/universal-auth.js'

export const WRITE_LOGIN_FAILURES_EVERY_MILLIS = 60_000

type Outside = { readonly tallies: FailureTallies; readonly ids: Ids }

/**
 * Writes one audit event for each client and reason of failures since the last time, however many they were. Whether there is
 * such a client is looked up here and not while it fails, so that who fails can't tell; client ids that are nobody's are dropped.
 */
export function writeLoginFailures(db: Db, { tallies, ids }: Outside): () => Promise<void> {
  return async () => {
    const taken = tallies.take()
    if (taken.length === 0) return
    try {
      const clientIds = [...new Set(taken.map(({ clientId }) => clientId))]
      const owners = new Map((await listClientLocators(db, clientIds)).map((locator) => [locator.clientId, locator]))
      const events = taken.flatMap((tally) => eventsOf(tally, owners.get(tally.clientId), ids))
      if (events.length > 0) await insertAuditEvents(db, events)
    } catch (error) {
      tallies.putBack(taken)
      throw error
    }
  }
}

function eventsOf({ clientId, firstTime: from, lastTime: to, ...tally }: FailureTally, owner: ClientLocator | undefined, ids: Ids): AuditEvent[] {
  if (!owner) return []
  const { organizationId, identityId } = owner
  const nobody = { actorIdentityId: null, actorTokenId: null, requestId: '' }
  const target = { targetType: 'auth-method', targetId: identityId }
  return [{ organizationId, id: ids.next(), action: 'LoginFailed', ...nobody, ...target, details: { method: UNIVERSAL_AUTH, clientId, ...tally, from, to } }]
}
