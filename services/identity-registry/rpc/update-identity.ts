import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { displayName, id as idField, optionalEtag } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import { changedMeanwhile } from '#libs/postgres/errors.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { Identity as IdentityMessage, UpdateIdentityRequest } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { getIdentity, lockIdentity, updateIdentity as writeIdentity } from '../store/identities.js'
import { guarded } from './guarded.js'
import { toIdentityMessage } from './identity-message.js'

export function updateIdentity({ authorization, feed, ids, clock }: Writing): Unary<UpdateIdentityRequest, IdentityMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const name = displayName(request.name, wrong.at('name'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const about = { resource: 'identity', attributes: { id } }
    const caller = await authorization.require(call, { action: 'update', ...about })
    const now = clock.now()
    const key = { organizationId: caller.organizationId, id }
    const { result: identity, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const { name: nameBefore } = await getIdentity(tx, key)
      const rename = async () => {
        const stored = await lockIdentity(tx, key)
        if (stored.name !== nameBefore) throw changedMeanwhile()
        assertEtag(stored, etag)
        const updated = { ...stored, name, updateTime: now, etag: ids.next() }
        await writeIdentity(tx, updated)
        changed(caller.organizationId, changedInRegistry.UpdateIdentity(id))
        await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'identity', id, details: { name } }))
        return updated
      }
      // Rules may speak of the name, so that another one can give something.
      const recipient = { identityId: id, scopes: 'everywhere', before: 'other-name' } as const
      return name === nameBefore ? rename() : guarded(tx, { caller, about, now, recipient }, rename)
    })
    return { ...toIdentityMessage(identity), revision }
  }
}
