import type { Clock } from '#libs/clock.js'
import { type ChangeFeed, changeFeed } from '#libs/freshness/append.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Ids } from '#libs/ids.js'
import type { Deadline } from '#libs/rpc/deadline.js'
import type { Identity } from '../domain/identity.js'
import { ADMIN, getBuiltInRole } from '../domain/role.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertBinding } from '../store/bindings.js'
import { insertIdentity } from '../store/identities.js'
import type { Db, RegistrySchema } from '../store/schema.js'

/** What is written of who recovers: there is no identity behind it, but a person with the database's password. */
export type Recovery = { readonly organizationId: string; readonly name: string; readonly endTime: Date; readonly reason: string; readonly requestId: string }

type Outside = { readonly db: Db; readonly ids: Ids; readonly clock: Clock; readonly deadline: Deadline }

/** Makes an identity that is admin of its organization until `endTime`. The escalation guard is not asked: whoever owns the database could write it there. */
export async function createRecoveryAdmin({ organizationId, name, endTime, reason, requestId }: Recovery, { db, ids, clock, deadline }: Outside): Promise<{ identityId: string }> {
  const now = clock.now()
  const written = { createTime: now, updateTime: now, etag: ids.next() }
  const identity: Identity = { organizationId, id: ids.next(), name, state: 'active', ...written }
  const binding = { organizationId, id: ids.next(), identityId: identity.id, projectId: null, ...written }
  const roles = [{ roleId: getBuiltInRole('organization', ADMIN).id, startTime: null, endTime }]
  await feedOf(db, ids).commit(deadline, async (tx, changed) => {
    await insertIdentity(tx, identity)
    await insertBinding(tx, binding, roles)
    changed(organizationId, changedInRegistry.CreateIdentity(identity.id))
    await insertAuditEvent(tx, {
      organizationId,
      id: ids.next(),
      action: 'RecoverAdmin',
      actorIdentityId: null,
      actorTokenId: null,
      targetType: 'identity',
      targetId: identity.id,
      details: { by: 'recover-admin', name, role: ADMIN, endTime, reason },
      requestId,
    })
  })
  return { identityId: identity.id }
}

// No hint: replicas pull within 50 ms anyway, and whoever recovers need not reach Redis.
const feedOf = (db: Db, ids: Ids): ChangeFeed<RegistrySchema> => changeFeed({ name: 'registry', db, ids, hint: () => undefined })
