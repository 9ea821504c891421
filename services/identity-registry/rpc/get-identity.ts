import { notAllowed } from '#libs/authorization.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { GetIdentityRequest, Identity as IdentityMessage } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Reading } from '../ports.js'
import { getIdentity as readIdentity } from '../store/identities.js'
import { toIdentityMessage } from './identity-message.js'

export function getIdentity({ db, authorization }: Reading): Unary<GetIdentityRequest, IdentityMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    wrong.refuse()
    const question = { action: 'read', resource: 'identity', attributes: { id } }
    const { caller, allowed } = await authorization.ask(call, question)
    if (!allowed && caller.identityId !== id) throw notAllowed(question)
    return toIdentityMessage(await readIdentity(db, { organizationId: caller.organizationId, id }))
  }
}
