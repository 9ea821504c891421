import { compileCondition, type Effect } from './condition.js'
import { type Asked, RuleIndex } from './rule-index.js'
import { ANY, type Rule } from './rule.js'

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
    const compiled = conditions.map((condition) => compileCondition(condition, effect))
    for (const action of wordsOf(rule.actions)) {
      for (const resource of wordsOf(rule.resources)) indexes[effect].add(action, resource, { index, rule, compiled })
    }
  }
  return { first: (effect, asked) => indexes[effect].first(asked) }
}

/** Any is any, whatever stands beside it. */
const wordsOf = (words: readonly string[]): readonly string[] => (words.includes(ANY) ? [ANY] : [...new Set(words)])
