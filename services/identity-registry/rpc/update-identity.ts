import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { displayName, id as idField, optionalEtag } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { Identity as IdentityMessage, UpdateIdentityRequest } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { lockIdentity, updateIdentity as writeIdentity } from '../store/identities.js'
import { toIdentityMessage } from './identity-message.js'

export function updateIdentity({ authorization, feed, ids, clock }: Writing): Unary<UpdateIdentityRequest, IdentityMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const name = displayName(request.name, wrong.at('name'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'update', resource: 'identity', attributes: { id } })
    const { result: identity, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockIdentity(tx, { organizationId: caller.organizationId, id })
      assertEtag(stored, etag)
      const updated = { ...stored, name, updateTime: clock.now(), etag: ids.next() }
      await writeIdentity(tx, updated)
      changed(caller.organizationId, changedInRegistry.UpdateIdentity(id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'identity', id, details: { name } }))
      return updated
    })
    return { ...toIdentityMessage(identity), revision }
  }
}
