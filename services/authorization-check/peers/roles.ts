import { dependencies } from '#libs/freshness/entities.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { stampFrom } from '#libs/rpc/change-feed.js'
import type { Outgoing, RpcClient } from '#libs/rpc/client.js'
import type { Condition, Operator } from '#libs/rules/condition.js'
import type { Effect, Rule } from '#libs/rules/rule.js'
import { RegistryInternalServiceService } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { Effect as EffectMessage, Operator as OperatorMessage, type Rule as RuleMessage } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { type Role, roleFrom, type RoleKey } from '../domain/grants.js'

/** Asks identity-registry. */
export function remoteRoles(registry: RpcClient) {
  return async ({ organizationId, roleId }: RoleKey, outgoing: Outgoing): Promise<Entry<Role>> => {
    const { role, rules, stamp } = await registry.unary(RegistryInternalServiceService.resolveRole, { organizationId, roleId }, outgoing)
    return { value: roleFrom({ roleId, role, rules: rules.map(ruleFrom) }), stamp: stampFrom(stamp), dependencies: dependencies.role(roleId) }
  }
}

const effects = new Map<EffectMessage, Effect>([[EffectMessage.ALLOW, 'allow'], [EffectMessage.DENY, 'deny']])
const operators = new Map<OperatorMessage, Operator>([[OperatorMessage.EQ, 'eq'], [OperatorMessage.IN, 'in'], [OperatorMessage.GLOB, 'glob']])

// A rule that this version does not understand must not be left out: it might deny. No decision can be made then.
const known = <Message, Value>(values: ReadonlyMap<Message, Value>, message: Message): Value => {
  const value = values.get(message)
  if (value === undefined) throw new Error(`identity-registry sent a rule that is newer than this service: ${String(message)}`)
  return value
}

const ruleFrom = ({ effect, resources, actions, conditions }: RuleMessage): Rule => ({
  effect: known(effects, effect),
  resources,
  actions,
  conditions: conditions.map(({ attribute, operator, values }): Condition => ({ attribute, operator: known(operators, operator), values })),
})
