import { compileCondition, type Effect } from './condition.js'
import { type Asked, RuleIndex } from './rule-index.js'
import type { Rule } from './rule.js'

export type { Asked } from './rule-index.js'

/** The rules of one role, ready to be asked. */
export type CompiledRules = {
  /** The place in the role, from 0, of the first rule of this effect that matches. */
  first(effect: Effect, asked: Asked): number | undefined
}

export function compileRules(rules: readonly Rule[]): CompiledRules {
  const indexes = { allow: new RuleIndex(), deny: new RuleIndex() }
  for (const [index, rule] of rules.entries()) {
    const { effect, conditions } = rule
    indexes[effect].add({ index, rule, compiled: conditions.map((condition) => compileCondition(condition, effect)) })
  }
  return { first: (effect, asked) => indexes[effect].first(asked) }
}
