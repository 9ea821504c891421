import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ClientSecret as ClientSecretMessage, GetClientSecretRequest } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import type { Reading } from '../ports.js'
import { getClientSecret as readClientSecret } from '../store/client-secrets.js'
import { toClientSecretMessage } from './client-secret-message.js'

export function getClientSecret({ db, authorization }: Reading): Unary<GetClientSecretRequest, ClientSecretMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const id = idField(request.id, wrong.at('id'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'client-secret', attributes: { 'identity.id': identityId, id } })
    return toClientSecretMessage(await readClientSecret(db, { organizationId, identityId, id }))
  }
}
