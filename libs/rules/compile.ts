import { type Attributes, compileCondition } from './condition.js'
import { ANY, type Effect, type Rule } from './rule.js'

export type Asked = { readonly action: string; readonly resource: string; readonly attributes: Attributes }

export type CompiledRule = {
  readonly effect: Effect
  /** Its place in the role, from 0. */
  readonly index: number
  matches(asked: Asked): boolean
}

/** The rules of one role, ready to be asked. */
export function compileRules(rules: readonly Rule[]): CompiledRule[] {
  return rules.map((rule, index) => compileRule(rule, index))
}

function compileRule({ effect, resources, actions, conditions }: Rule, index: number): CompiledRule {
  const anyResource = resources.includes(ANY)
  const resourceSet = new Set(resources)
  const anyAction = actions.includes(ANY)
  const actionSet = new Set(actions)
  const compiled = conditions.map(compileCondition)
  // A missing attribute makes a condition undecided: enough to deny by, not enough to allow by.
  const undecided = effect === 'deny'
  return {
    effect,
    index,
    matches: ({ action, resource, attributes }) =>
      (anyAction || actionSet.has(action)) &&
      (anyResource || resourceSet.has(resource)) &&
      compiled.every((condition) => condition(attributes) ?? undecided),
  }
}
