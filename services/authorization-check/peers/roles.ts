import { dependencies } from '#libs/freshness/entities.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { stampFrom } from '#libs/rpc/change-feed.js'
import type { Outgoing, RpcClient } from '#libs/rpc/client.js'
import { rulesFrom } from '#libs/rpc/rule-message.js'
import { RegistryInternalServiceService } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { type Role, roleFrom, type RoleKey } from '../domain/grants.js'

/** Asks identity-registry. */
export function remoteRoles(registry: RpcClient) {
  return async ({ organizationId, roleId }: RoleKey, outgoing: Outgoing): Promise<Entry<Role>> => {
    const { role, rules, stamp } = await registry.unary(RegistryInternalServiceService.resolveRole, { organizationId, roleId }, outgoing)
    return { value: roleFrom({ roleId, role, rules: rulesFrom(rules, unknown) }), stamp: stampFrom(stamp), dependencies: dependencies.role(roleId) }
  }
}

// A rule that this version does not understand must not be left out: it might deny. No decision can be made then.
const unknown = (field: string) => (problem: string) => {
  throw new Error(`identity-registry sent a rule that is newer than this service: ${field} ${problem}`)
}
