import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import { type DescribeIdentityRequest, DescribeIdentityResponse } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { findIdentityState } from '../store/resolved.js'
import type { Db } from '../store/schema.js'
import { stateMessages } from './identity-message.js'

export function describeIdentity({ db }: { db: Db }): InternalUnary<DescribeIdentityRequest, DescribeIdentityResponse> {
  return async (request, _call, caller) => {
    const wrong = new Violations()
    const organizationId = idField(request.organizationId, wrong.at('organization_id'))
    const id = idField(request.identityId, wrong.at('identity_id'))
    wrong.refuse()
    const { name, state, stamp } = await findIdentityState(db, { organizationId, id })
    if (state === undefined || !caller.mayAskAbout(organizationId)) return DescribeIdentityResponse.fromPartial({ stamp })
    return DescribeIdentityResponse.fromPartial({ name, state: stateMessages[state], stamp })
  }
}
