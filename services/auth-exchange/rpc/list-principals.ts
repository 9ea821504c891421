import { Violations } from '#libs/domain-error.js'
import { optionalId } from '#libs/fields.js'
import { pageFrom, pageOf } from '#libs/rpc/page-token.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListPrincipalsRequest, ListPrincipalsResponse } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import type { Reading } from '../ports.js'
import { listPrincipals as readPrincipals } from '../store/principals.js'
import { toPrincipalMessage } from './principal-message.js'

export function listPrincipals({ db, authorization }: Reading): Unary<ListPrincipalsRequest, ListPrincipalsResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = optionalId(request.identityId, wrong.at('identity_id'))
    const page = pageOf(request, (field) => wrong.at(field))
    wrong.refuse()
    const attributes: Record<string, string> = identityId === undefined ? {} : { 'identity.id': identityId }
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'principal', attributes })
    const { items, nextPageToken } = pageFrom(page, await readPrincipals(db, organizationId, { identityId, ...page }))
    return { principals: items.map(toPrincipalMessage), nextPageToken }
  }
}
