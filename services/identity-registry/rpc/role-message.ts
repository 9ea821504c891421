import { toRuleMessage } from '#libs/rpc/rule-message.js'
import { Role as RoleMessage } from '#libs/wire/gen/countersign/registry/v1/role.js'
import type { BuiltInRole, CustomRole } from '../domain/role.js'

export const toRoleMessage = ({ organizationId, id, projectId, name, description, rules, createTime, updateTime, etag }: CustomRole): RoleMessage =>
  RoleMessage.fromPartial({
    organizationId,
    id,
    projectId: projectId ?? '',
    name,
    description,
    builtIn: false,
    rules: rules.map(toRuleMessage),
    createTime,
    updateTime,
    etag,
  })

/** A built-in role as it is in one organization or project: it was never made or changed. */
export const toBuiltInRoleMessage = ({ id, name, description, rules }: BuiltInRole, organizationId: string, projectId: string | undefined): RoleMessage =>
  RoleMessage.fromPartial({ organizationId, id, projectId: projectId ?? '', name, description, builtIn: true, rules: rules.map(toRuleMessage) })
