import { Violations } from '#libs/domain-error.js'
import { optionalName } from '#libs/fields.js'
import { pageFrom, pageOf } from '#libs/rpc/page-token.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListIdentitiesRequest, ListIdentitiesResponse } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Reading } from '../ports.js'
import { listIdentities as readIdentities } from '../store/identities.js'
import { toIdentityMessage } from './identity-message.js'

export function listIdentities({ db, authorization }: Reading): Unary<ListIdentitiesRequest, ListIdentitiesResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const page = pageOf(request, (field) => wrong.at(field))
    const name = optionalName(request.name, wrong.at('name'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'identity' })
    const { items, nextPageToken } = pageFrom(page, await readIdentities(db, organizationId, { ...page, name }))
    return { identities: items.map(toIdentityMessage), nextPageToken }
  }
}
