import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { pageFrom, pageOf } from '#libs/rpc/page-token.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListClientSecretsRequest, ListClientSecretsResponse } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import type { Reading } from '../ports.js'
import { listClientSecrets as readClientSecrets } from '../store/client-secrets.js'
import { getUniversalAuth } from '../store/universal-auth.js'
import { toClientSecretMessage } from './client-secret-message.js'

export function listClientSecrets({ db, authorization }: Reading): Unary<ListClientSecretsRequest, ListClientSecretsResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const page = pageOf(request, (field) => wrong.at(field))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'client-secret', attributes: { 'identity.id': identityId } })
    const { identityId: owner } = await getUniversalAuth(db, { organizationId, identityId })
    const { items, nextPageToken } = pageFrom(page, await readClientSecrets(db, { organizationId, identityId: owner }, page))
    return { clientSecrets: items.map(toClientSecretMessage), nextPageToken }
  }
}
