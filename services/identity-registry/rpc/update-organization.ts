import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { displayName, optionalEtag } from '#libs/fields.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { Organization as OrganizationMessage, UpdateOrganizationRequest } from '#libs/wire/gen/countersign/registry/v1/organization.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { lockOrganization, updateOrganization as writeOrganization } from '../store/organizations.js'
import { toOrganizationMessage } from './organization-message.js'

export function updateOrganization({ authorization, feed, ids, clock }: Writing): Unary<UpdateOrganizationRequest, OrganizationMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const name = displayName(request.name, wrong.at('name'))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'update', resource: 'organization' })
    const { result: organization, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockOrganization(tx, caller.organizationId)
      assertEtag(stored, etag)
      const updated = { ...stored, name, updateTime: clock.now(), etag: ids.next() }
      await writeOrganization(tx, updated)
      changed(caller.organizationId, changedInRegistry.UpdateOrganization(stored.id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'organization', id: stored.id, details: { name } }))
      return updated
    })
    return { ...toOrganizationMessage(organization), revision }
  }
}
