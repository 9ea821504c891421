import type { RpcClient } from '#libs/rpc/client.js'
import { compileRules } from '#libs/rules/compile.js'
import type { Condition, Operator } from '#libs/rules/condition.js'
import type { Effect, Rule } from '#libs/rules/rule.js'
import { IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { RegistryInternalServiceService, ResolveGrantsRequest } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { Effect as EffectMessage, Operator as OperatorMessage, type Rule as RuleMessage } from '#libs/wire/gen/countersign/registry/v1/role.js'
import type { GrantReader } from '../ports.js'

/** Asks identity-registry, each time. */
export function remoteGrants(registry: RpcClient): GrantReader {
  return {
    grantsOf: async (holder, outgoing) => {
      const request = ResolveGrantsRequest.fromPartial({ ...holder, projectId: holder.projectId ?? '' })
      const { state, identityName, grants, databaseTime } = await registry.unary(RegistryInternalServiceService.resolveGrants, request, outgoing)
      if (!databaseTime) throw new Error('identity-registry answered without its time')
      return {
        active: state === IdentityState.ACTIVE,
        identityName,
        grants: grants.map((grant) => ({ ...grant, rules: compileRules(grant.rules.map(ruleFrom)) })),
        now: databaseTime,
      }
    },
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
