import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { GetUniversalAuthRequest, UniversalAuth as UniversalAuthMessage } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import type { Reading } from '../ports.js'
import { getUniversalAuth as readUniversalAuth } from '../store/universal-auth.js'
import { toUniversalAuthMessage } from './universal-auth-message.js'

export function getUniversalAuth({ db, authorization }: Reading): Unary<GetUniversalAuthRequest, UniversalAuthMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'auth-method', attributes: { 'identity.id': identityId } })
    return toUniversalAuthMessage(await readUniversalAuth(db, { organizationId, identityId }))
  }
}
