import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { AttachUniversalAuthRequest, UniversalAuth as UniversalAuthMessage } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import { identityNotFound } from '../domain/refusals.js'
import { STANDARD_UNIVERSAL_AUTH, universalAuthSettingsFrom } from '../domain/universal-auth.js'
import type { Coverage, IdentityReader, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertClientLocator, insertUniversalAuth } from '../store/universal-auth.js'
import { toUniversalAuthMessage } from './universal-auth-message.js'

type Outside = Writing & { readonly identities: IdentityReader; readonly coverage: Coverage }

export function attachUniversalAuth({ authorization, identities, coverage, feed, ids, clock }: Outside): Unary<AttachUniversalAuthRequest, UniversalAuthMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const settings = universalAuthSettingsFrom(request, STANDARD_UNIVERSAL_AUTH, (field) => wrong.at(field))
    wrong.refuse()
    const about = { resource: 'auth-method', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'create', ...about })
    const owner = { organizationId: caller.organizationId, identityId }
    if ((await identities.stateOf(owner, call)) === 'absent') throw identityNotFound(identityId)
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const now = clock.now()
    const method = { ...owner, clientId: ids.next(), ...settings, epoch: ids.next(), createTime: now, updateTime: now, etag: ids.next() }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await insertClientLocator(tx, method)
      await insertUniversalAuth(tx, method)
      changed(caller.organizationId, changedInExchange.AttachUniversalAuth(identityId))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'auth-method', id: identityId, details: { ...settings, clientId: method.clientId } }))
    })
    return { ...toUniversalAuthMessage(method), revision }
  }
}
