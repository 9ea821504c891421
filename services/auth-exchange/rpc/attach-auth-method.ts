import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { AttachAuthMethodRequest, AuthMethod as AuthMethodMessage } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { identityNotFound } from '../domain/refusals.js'
import { STANDARD_SETTINGS, tokenSettingsFrom } from '../domain/token-settings.js'
import type { AuthMethods, ConfigurationSeal, Coverage, IdentityReader, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertAuthMethod } from '../store/auth-methods.js'
import { requiredConfiguration, toAuthMethodMessage } from './auth-method-message.js'
import { sealedOf } from './sealed-secret.js'

type Outside = Writing & { readonly identities: IdentityReader; readonly coverage: Coverage; readonly methods: AuthMethods; readonly seal: ConfigurationSeal }

export function attachAuthMethod({ authorization, identities, coverage, methods, seal, feed, ids, clock }: Outside): Unary<AttachAuthMethodRequest, AuthMethodMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const settings = tokenSettingsFrom(request, STANDARD_SETTINGS, (field) => wrong.at(field))
    const { method: name, configuration, secret } = requiredConfiguration(request.configuration, methods, wrong)
    const about = { resource: 'auth-method', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'create', ...about })
    const owner = { organizationId: caller.organizationId, identityId }
    if ((await identities.stateOf(owner, call)) === 'absent') throw identityNotFound(identityId)
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const now = clock.now()
    const id = ids.next()
    const method = { ...owner, method: name, id, ...settings, configuration, epoch: ids.next(), createTime: now, updateTime: now, etag: ids.next() }
    const sealed = sealedOf(secret, id, seal)
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await insertAuthMethod(tx, method, sealed)
      changed(caller.organizationId, changedInExchange.AttachAuthMethod(identityId))
      const details = { method: name, id, ...settings, configuration }
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'auth-method', id: identityId, details }))
    })
    return { ...toAuthMethodMessage(method, methods), revision }
  }
}
