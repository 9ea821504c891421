import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListLockoutsRequest, ListLockoutsResponse } from '#libs/wire/gen/countersign/exchange/v1/lockout.js'
import type { LoginThrottle } from '../domain/throttle.js'
import type { Reading } from '../ports.js'
import { getUniversalAuth } from '../store/universal-auth.js'

const MOST = 200

type Outside = Reading & { readonly throttle: LoginThrottle; readonly clock: Clock }

export function listLockouts({ db, authorization, throttle, clock }: Outside): Unary<ListLockoutsRequest, ListLockoutsResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'auth-method', attributes: { 'identity.id': identityId } })
    const { clientId } = await getUniversalAuth(db, { organizationId, identityId })
    const lockouts = throttle.lockoutsOf(clientId, clock.now())
    return { lockouts: lockouts.slice(0, MOST).map((lockout) => ({ ...lockout, identityId })), totalCount: lockouts.length }
  }
}
