import type { Ids } from '#libs/ids.js'
import type { AuditEvent } from '#libs/postgres/audit.js'
import type { FailureTallies, FailureTally } from '../domain/login-failures.js'
import { UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import { insertAuditEvents } from '../store/audit.js'
import { listMethodOwners } from '../store/method-credentials.js'
import type { Db } from '../store/schema.js'
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
      const ownerOf = await ownersOf(db, taken)
      const events = taken.flatMap((tally) => eventsOf(tally, ownerOf(tally), ids))
      if (events.length > 0) await insertAuditEvents(db, events)
    } catch (error) {
      tallies.putBack(taken)
      throw error
    }
  }
}

type Owner = { readonly organizationId: string; readonly identityId: string }

/** Whose client it is, by a statement for each kind of them. */
async function ownersOf(db: Db, tallies: readonly FailureTally[]): Promise<(tally: FailureTally) => Owner | undefined> {
  const [clients, identities] = [true, false].map((isClient) => [...new Set(tallies.filter(({ method }) => (method === UNIVERSAL_AUTH) === isClient).map(({ clientId }) => clientId))])
  const found = new Map<string, Owner>()
  for (const { clientId, ...owner } of await listClientLocators(db, clients ?? [])) found.set(keyOf({ clientId, method: UNIVERSAL_AUTH }), owner)
  for (const { method, ...owner } of await listMethodOwners(db, identities ?? [])) found.set(keyOf({ clientId: owner.identityId, method }), owner)
  return (tally) => found.get(keyOf(tally))
}

const keyOf = ({ clientId, method }: Pick<FailureTally, 'clientId' | 'method'>): string => `${method} ${clientId}`

function eventsOf({ clientId, firstTime: from, lastTime: to, ...tally }: FailureTally, owner: Owner | undefined, ids: Ids): AuditEvent[] {
  if (!owner) return []
  const { organizationId, identityId } = owner
  const nobody = { actorIdentityId: null, actorTokenId: null, requestId: '' }
  const target = { targetType: 'auth-method', targetId: identityId }
  const client = tally.method === UNIVERSAL_AUTH ? { clientId } : {}
  return [{ organizationId, id: ids.next(), action: 'LoginFailed', ...nobody, ...target, details: { ...client, ...tally, from, to } }]
}
