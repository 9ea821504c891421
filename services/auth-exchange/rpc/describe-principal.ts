import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import { type DescribePrincipalRequest, DescribePrincipalResponse } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { isPrincipalName } from '../domain/principal.js'
import { findPrincipal } from '../store/principals.js'
import type { Db } from '../store/schema.js'

/** No principal has it. */
const NO_NAME = ''

export function describePrincipal({ db }: { db: Db }): InternalUnary<DescribePrincipalRequest, DescribePrincipalResponse> {
  return async (request, _call, caller) => {
    const wrong = new Violations()
    const organizationId = idField(request.organizationId, wrong.at('organization_id'))
    wrong.refuse()
    // What strangers' certificates name is no fault of whoever asks: it is an answer, also where no principal can be named so.
    const name = isPrincipalName(request.name) ? request.name : NO_NAME
    const { found, stamp } = await findPrincipal(db, { organizationId, name })
    if (!found || !caller.mayAskAbout(organizationId)) return DescribePrincipalResponse.fromPartial({ organizationId, stamp })
    return DescribePrincipalResponse.fromPartial({ principalId: found.id, organizationId, identityId: found.identityId, stamp })
  }
}
