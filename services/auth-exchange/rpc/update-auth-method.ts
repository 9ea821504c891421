import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { assertEtag } from '#libs/etag.js'
import { id as idField, optionalEtag } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { AuthMethod as AuthMethodMessage, UpdateAuthMethodRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { WIDEST } from '../domain/access-token.js'
import { configuredMethodName, isConfigured } from '../domain/auth-method.js'
import { STANDARD_SETTINGS, tokenSettingsFrom, tokenSettingsOf } from '../domain/token-settings.js'
import type { AuthMethods, ConfigurationSeal, Coverage, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { lockAuthMethod, updateAuthMethod as writeAuthMethod } from '../store/auth-methods.js'
import { configurationFrom, toAuthMethodMessage } from './auth-method-message.js'
import { sealedOver } from './sealed-secret.js'

type Outside = Writing & { readonly coverage: Coverage; readonly methods: AuthMethods; readonly seal: ConfigurationSeal }

export function updateAuthMethod({ authorization, coverage, methods, seal, feed, ids, clock }: Outside): Unary<UpdateAuthMethodRequest, AuthMethodMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const name = configuredMethodName(request.method, wrong.at('method'))
    tokenSettingsFrom(request, { ...STANDARD_SETTINGS, ...WIDEST }, (field) => wrong.at(field))
    const configured = configurationFrom(request.configuration, methods, wrong)
    if (configured && isConfigured(request.method) && configured.method !== name) wrong.at('configuration')('must be that of the method')
    const etag = optionalEtag(request.etag, wrong.at('etag'))
    wrong.refuse()
    const about = { resource: 'auth-method', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'update', ...about })
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const { result: method, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockAuthMethod(tx, { organizationId: caller.organizationId, identityId, method: name })
      assertEtag(stored, etag)
      const tooLong = new Violations()
      const settings = tokenSettingsFrom(request, tokenSettingsOf(stored), (field) => tooLong.at(field))
      tooLong.refuse()
      const configuration = configured?.configuration ?? stored.configuration
      const updated = { ...stored, ...settings, configuration, updateTime: clock.now(), etag: ids.next() }
      await writeAuthMethod(tx, updated, configured && sealedOver(stored, configured, { methods, seal }))
      changed(caller.organizationId, changedInExchange.UpdateAuthMethod(identityId))
      const details = { method: name, ...settings, configuration }
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'auth-method', id: identityId, details }))
      return updated
    })
    return { ...toAuthMethodMessage(method, methods), revision }
  }
}
