import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { EnableIdentityRequest, Identity as IdentityMessage } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Writing } from '../ports.js'
import { toIdentityMessage } from './identity-message.js'
import { setIdentityState } from './set-identity-state.js'

export function enableIdentity(writing: Writing): Unary<EnableIdentityRequest, IdentityMessage> {
  const { authorization } = writing
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    wrong.refuse()
    const about = { resource: 'identity', attributes: { id } }
    const caller = await authorization.require(call, { action: 'update', ...about })
    const { result: identity, revision } = await setIdentityState(writing, call, { caller, about, id, state: 'active', method: 'EnableIdentity' })
    return { ...toIdentityMessage(identity), revision }
  }
}
