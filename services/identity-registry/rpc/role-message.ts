import type { Report } from '#libs/domain-error.js'
import type { Condition, Operator } from '#libs/rules/condition.js'
import type { Effect, Rule } from '#libs/rules/rule.js'
import { Effect as EffectMessage, Operator as OperatorMessage, Role as RoleMessage, Rule as RuleMessage } from '#libs/wire/gen/countersign/registry/v1/role.js'
import type { BuiltInRole, CustomRole } from '../domain/role.js'

const effects: Record<Effect, EffectMessage> = { allow: EffectMessage.ALLOW, deny: EffectMessage.DENY }
const operators: Record<Operator, OperatorMessage> = { eq: OperatorMessage.EQ, in: OperatorMessage.IN, glob: OperatorMessage.GLOB }

const effectNames: readonly Effect[] = ['allow', 'deny']
const operatorNames: readonly Operator[] = ['eq', 'in', 'glob']

export const toRuleMessage = ({ effect, resources, actions, conditions }: Rule): RuleMessage =>
  RuleMessage.fromPartial({
    effect: effects[effect],
    resources: [...resources],
    actions: [...actions],
    conditions: conditions.map(({ attribute, operator, values }) => ({ attribute, operator: operators[operator], values: [...values] })),
  })

/** The rules of a request; an enum value that is not known is reported, and stands in as the harmless one. */
export function rulesFrom(messages: readonly RuleMessage[], at: (field: string) => Report): Rule[] {
  return messages.map(({ effect, resources, actions, conditions }, index) => {
    const name = effectNames.find((one) => effects[one] === effect)
    if (!name) at(`rules[${index}].effect`)('must be EFFECT_ALLOW or EFFECT_DENY')
    return {
      effect: name ?? 'deny',
      resources,
      actions,
      conditions: conditions.map((condition, place) => conditionFrom(condition, at(`rules[${index}].conditions[${place}].operator`))),
    }
  })
}

function conditionFrom({ attribute, operator, values }: RuleMessage['conditions'][number], report: Report): Condition {
  const name = operatorNames.find((one) => operators[one] === operator)
  if (!name) report('must be OPERATOR_EQ, OPERATOR_IN or OPERATOR_GLOB')
  return { attribute, operator: name ?? 'eq', values }
}

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
