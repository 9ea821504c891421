import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { UniversalAuth as UniversalAuthMessage, UpdateUniversalAuthRequest } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import { WIDEST } from '../domain/access-token.js'
import { settingsOf, STANDARD_UNIVERSAL_AUTH, universalAuthSettingsFrom } from '../domain/universal-auth.js'
import type { Coverage, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { lockUniversalAuth, updateUniversalAuth as writeUniversalAuth } from '../store/universal-auth.js'
import { toUniversalAuthMessage } from './universal-auth-message.js'

type Outside = Writing & { readonly coverage: Coverage }

export function updateUniversalAuth({ authorization, coverage, feed, ids, clock }: Outside): Unary<UpdateUniversalAuthRequest, UniversalAuthMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    universalAuthSettingsFrom(request, { ...STANDARD_UNIVERSAL_AUTH, ...WIDEST }, (field) => wrong.at(field))
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const about = { resource: 'auth-method', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'update', ...about })
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const { result: method, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockUniversalAuth(tx, { organizationId: caller.organizationId, identityId })
      assertEtag(stored, etag)
      const tooLong = new Violations()
      const settings = universalAuthSettingsFrom(request, settingsOf(stored), (field) => tooLong.at(field))
      tooLong.refuse()
      const updated = { ...stored, ...settings, updateTime: clock.now(), etag: ids.next() }
      await writeUniversalAuth(tx, updated)
      changed(caller.organizationId, changedInExchange.UpdateUniversalAuth(identityId))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'auth-method', id: identityId, details: settings }))
      return updated
    })
    return { ...toUniversalAuthMessage(method), revision }
  }
}
