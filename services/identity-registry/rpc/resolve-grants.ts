import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField, optionalId } from '#libs/fields.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import { type ResolveGrantsRequest, ResolveGrantsResponse } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Db } from '../store/schema.js'
import { findGrants } from '../store/grants.js'
import { stateMessages } from './identity-message.js'
import { toRuleMessage } from './role-message.js'

export function resolveGrants({ db, clock }: { db: Db; clock: Clock }): InternalUnary<ResolveGrantsRequest, ResolveGrantsResponse> {
  return async (request, _call, caller) => {
    const wrong = new Violations()
    const organizationId = idField(request.organizationId, wrong.at('organization_id'))
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    wrong.refuse()
    const now = clock.now()
    const nothing = ResolveGrantsResponse.fromPartial({ databaseTime: now })
    if (!caller.mayAskAbout(organizationId, projectId)) return nothing
    const held = await findGrants(db, { organizationId, identityId, projectId }, now)
    if (!held) return nothing
    const grants = held.grants.map(({ roleId, role, rules, startTime, endTime }) => ({
      roleId,
      role,
      rules: rules.map(toRuleMessage),
      ...(startTime && { startTime }),
      ...(endTime && { endTime }),
    }))
    return ResolveGrantsResponse.fromPartial({ state: stateMessages[held.state], identityName: held.name, grants, databaseTime: now })
  }
}
