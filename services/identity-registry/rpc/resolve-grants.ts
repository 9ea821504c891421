import { Violations } from '#libs/domain-error.js'
import { id as idField, optionalId } from '#libs/fields.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import { type ResolveGrantsRequest, ResolveGrantsResponse } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { findGrants } from '../store/resolved.js'
import type { Db } from '../store/schema.js'
import { stateMessages } from './identity-message.js'

export function resolveGrants({ db }: { db: Db }): InternalUnary<ResolveGrantsRequest, ResolveGrantsResponse> {
  return async (request, _call, caller) => {
    const wrong = new Violations()
    const organizationId = idField(request.organizationId, wrong.at('organization_id'))
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    wrong.refuse()
    const { name, state, grants, stamp } = await findGrants(db, { organizationId, identityId, projectId })
    if (state === undefined || !caller.mayAskAbout(organizationId)) return ResolveGrantsResponse.fromPartial({ stamp })
    // A project that the caller may not ask about is like one that does not exist: the identity is who it is, and holds nothing there.
    const told = caller.mayAskAbout(organizationId, projectId) ? grants : []
    return ResolveGrantsResponse.fromPartial({
      state: stateMessages[state],
      identityName: name,
      grants: told.map(({ roleId, startTime, endTime }) => ({ roleId, ...(startTime && { startTime }), ...(endTime && { endTime }) })),
      stamp,
    })
  }
}
