import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ClearLockoutsRequest, ClearLockoutsResponse } from '#libs/wire/gen/countersign/exchange/v1/lockout.js'
import type { LoginThrottle } from '../domain/throttle.js'
import type { Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { clearLockouts as writeClearTime, lockUniversalAuth } from '../store/universal-auth.js'

type Outside = Writing & { readonly throttle: LoginThrottle }

export function clearLockouts({ authorization, throttle, feed, ids, clock }: Outside): Unary<ClearLockoutsRequest, ClearLockoutsResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    wrong.refuse()
    const caller = await authorization.require(call, { action: 'update', resource: 'auth-method', attributes: { 'identity.id': identityId } })
    const { organizationId } = caller
    const { result: clientId, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const method = await lockUniversalAuth(tx, { organizationId, identityId })
      await writeClearTime(tx, method, clock.now())
      changed(organizationId, changedInExchange.ClearLockouts(identityId))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'auth-method', id: identityId }))
      return method.clientId
    })
    return { clearedCount: throttle.clear(clientId, clock.now()), revision }
  }
}
