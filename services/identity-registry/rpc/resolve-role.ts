import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { toRuleMessage } from '#libs/rpc/rule-message.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import { type ResolveRoleRequest, ResolveRoleResponse } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { findRuleSet } from '../store/resolved.js'
import type { Db } from '../store/schema.js'

export function resolveRole({ db }: { db: Db }): InternalUnary<ResolveRoleRequest, ResolveRoleResponse> {
  return async (request, _call, caller) => {
    const wrong = new Violations()
    const organizationId = idField(request.organizationId, wrong.at('organization_id'))
    const roleId = idField(request.roleId, wrong.at('role_id'))
    wrong.refuse()
    const { projectId, name, rules, stamp } = await findRuleSet(db, { organizationId, roleId })
    if (!caller.mayAskAbout(organizationId, projectId)) return ResolveRoleResponse.fromPartial({ stamp })
    return ResolveRoleResponse.fromPartial({ role: name, rules: rules.map(toRuleMessage), stamp })
  }
}
