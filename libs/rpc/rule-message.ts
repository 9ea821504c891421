import type { Report } from '../domain-error.js'
import { type Condition, type Effect, OPERATORS, type Operator } from '../rules/condition.js'
import type { Rule } from '../rules/rule.js'
import { canonicalAddress } from '../rules/subnet.js'
import { type Scalar, timeOf, typeOf, type Value } from '../rules/value.js'
import { Effect as EffectMessage, Operator as OperatorMessage, Rule as RuleMessage } from '../wire/gen/countersign/registry/v1/role.js'
import { type Value as ValueMessage } from '../wire/gen/countersign/rules/v1/value.js'

// Rules, and the values that they compare, as they travel.

const effects: Readonly<Record<Effect, EffectMessage>> = { allow: EffectMessage.ALLOW, deny: EffectMessage.DENY }
const effectNames: readonly Effect[] = ['allow', 'deny']

const operators: Readonly<Record<Operator, OperatorMessage>> = {
  eq: OperatorMessage.EQ,
  ne: OperatorMessage.NE,
  in: OperatorMessage.IN,
  not_in: OperatorMessage.NOT_IN,
  glob: OperatorMessage.GLOB,
  not_glob: OperatorMessage.NOT_GLOB,
  cidr: OperatorMessage.CIDR,
  exists: OperatorMessage.EXISTS,
}

export const toRuleMessage = ({ effect, resources, actions, conditions }: Rule): RuleMessage =>
  RuleMessage.fromPartial({
    effect: effects[effect],
    resources: [...resources],
    actions: [...actions],
    conditions: conditions.map(({ attribute, operator, values }) => ({ attribute, operator: operators[operator], values: values.map(toValueMessage) })),
  })

type At = (field: string) => Report

/** The rules of a message. What is not known is reported, and something harmless stands in for it. */
export function rulesFrom(messages: readonly RuleMessage[], at: At): Rule[] {
  return messages.map(({ effect, resources, actions, conditions }, index) => {
    const name = effectNames.find((one) => effects[one] === effect)
    if (!name) at(`rules[${index}].effect`)('must be EFFECT_ALLOW or EFFECT_DENY')
    return {
      effect: name ?? 'deny',
      resources,
      actions,
      conditions: conditions.map((condition, place) => conditionFrom(condition, (field) => at(`rules[${index}].conditions[${place}].${field}`))),
    }
  })
}

function conditionFrom({ attribute, operator, values }: RuleMessage['conditions'][number], at: At): Condition {
  const name = OPERATORS.find((one) => operators[one] === operator)
  if (!name) at('operator')(`must be one of ${OPERATORS.map((one) => `OPERATOR_${one.toUpperCase()}`).join(', ')}`)
  return { attribute, operator: name ?? 'in', values: values.map((value, place) => conditionValueFrom(value, at(`values[${place}]`))) }
}

function conditionValueFrom({ kind }: ValueMessage, report: Report): Scalar {
  const value = kind?.$case === 'ipValue' ? refused(report, 'must be a text, and the operator OPERATOR_CIDR, for an address') : scalarFrom(kind, report)
  return value ?? ''
}

export function toValueMessage(value: Scalar): ValueMessage {
  if (typeof value === 'string') return { kind: { $case: 'stringValue', value } }
  if (typeof value === 'number') return { kind: { $case: 'numberValue', value } }
  return { kind: typeof value === 'boolean' ? { $case: 'boolValue', value } : { $case: 'timeValue', value: new Date(value.time) } }
}

const MAX_LIST = 100

/** The value of an attribute; what it can't be is reported. */
export function attributeFrom({ kind }: ValueMessage, report: Report): Value | undefined {
  if (kind?.$case !== 'listValue') return scalarFrom(kind, report)
  const { values } = kind.value
  if (values.length > MAX_LIST) return refused(report, `must be at most ${MAX_LIST} values`)
  const scalars = values.map((one) => scalarFrom(one.kind, report)).filter((one) => one !== undefined)
  return new Set(scalars.map(typeOf)).size > 1 ? refused(report, 'must be a list of values of one type') : scalars
}

/** Undefined, and reported, where it is none. */
function scalarFrom(kind: ValueMessage['kind'], report: Report): Scalar | undefined {
  switch (kind?.$case) {
    case 'stringValue':
    case 'boolValue':
      return kind.value
    case 'numberValue':
      return Number.isFinite(kind.value) ? kind.value : refused(report, 'must be a finite number')
    case 'timeValue':
      return timeOf(kind.value) ?? refused(report, 'must be a time')
    case 'ipValue':
      return canonicalAddress(kind.value) ?? refused(report, 'must be an IPv4 or IPv6 address without a zone')
    case 'listValue':
      return refused(report, 'must be no list here')
    case undefined:
      return refused(report, 'must have a value')
  }
}

function refused(report: Report, problem: string): undefined {
  report(problem)
}
