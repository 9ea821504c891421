import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { RemoveAuthMethodRequest, RemoveAuthMethodResponse } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { methodName } from '../domain/auth-method.js'
import { UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import type { Coverage, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { deleteAuthMethod } from '../store/auth-methods.js'
import { deleteUniversalAuth } from '../store/universal-auth.js'

type Outside = Writing & { readonly coverage: Coverage }

export function removeAuthMethod({ authorization, coverage, feed, ids }: Outside): Unary<RemoveAuthMethodRequest, RemoveAuthMethodResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const method = methodName(request.method, wrong.at('method'))
    wrong.refuse()
    const about = { resource: 'auth-method', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'delete', ...about })
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const owner = { organizationId: caller.organizationId, identityId }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const removed = method === UNIVERSAL_AUTH ? { clientId: await deleteUniversalAuth(tx, owner) } : { id: await deleteAuthMethod(tx, { ...owner, method }) }
      changed(caller.organizationId, changedInExchange.RemoveAuthMethod(identityId))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'auth-method', id: identityId, details: { method, ...removed } }))
    })
    return { revision }
  }
}
