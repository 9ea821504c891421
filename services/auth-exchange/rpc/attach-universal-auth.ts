import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { AttachUniversalAuthRequest, UniversalAuth as UniversalAuthMessage } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import { DEFAULT_MAX_TTL_SECONDS, DEFAULT_TTL_SECONDS, lifetimesFrom } from '../domain/access-token.js'
import { identityNotFound } from '../domain/refusals.js'
import type { Coverage, IdentityReader, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertClientLocator, insertUniversalAuth } from '../store/universal-auth.js'
import { toUniversalAuthMessage } from './universal-auth-message.js'

const standard = { accessTokenTtlSeconds: DEFAULT_TTL_SECONDS, accessTokenMaxTtlSeconds: DEFAULT_MAX_TTL_SECONDS }

type Outside = Writing & { readonly identities: IdentityReader; readonly coverage: Coverage }

export function attachUniversalAuth({ authorization, identities, coverage, feed, ids, clock }: Outside): Unary<AttachUniversalAuthRequest, UniversalAuthMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const lifetimes = lifetimesFrom(request, standard, (field) => wrong.at(field))
    wrong.refuse()
    const about = { resource: 'auth-method', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'create', ...about })
    const owner = { organizationId: caller.organizationId, identityId }
    if ((await identities.stateOf(owner, call)) === 'absent') throw identityNotFound(identityId)
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const now = clock.now()
    const method = { ...owner, clientId: ids.next(), ...lifetimes, epoch: ids.next(), createTime: now, updateTime: now, etag: ids.next() }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await insertClientLocator(tx, method)
      await insertUniversalAuth(tx, method)
      changed(caller.organizationId, changedInExchange.AttachUniversalAuth(identityId))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'auth-method', id: identityId, details: { ...lifetimes, clientId: method.clientId } }))
    })
    return { ...toUniversalAuthMessage(method), revision }
  }
}
