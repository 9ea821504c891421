import { type Budget, wholeBudget } from './budget.js'
import type { Condition } from './condition.js'
import { coversOwn } from './cover.js'
import { contradicts } from './implication.js'
import { isPath } from './path.js'
import type { Rule } from './rule.js'

/** What the author of a rule may not have meant. */
export type Warning = { readonly ruleIndex: number; readonly message: string }

/** Warns of rules that never do anything. Not all of them are found, and none that does something is named. */
export function warningsOf(rules: readonly Rule[]): Warning[] {
  const budget = wholeBudget()
  return rules.flatMap((rule, ruleIndex) => {
    const why = neverMatches(rule, budget)
    if (why !== undefined) return [{ ruleIndex, message: `can never match: ${why}` }]
    const hiding = rule.effect === 'allow' ? rules.findIndex((other) => other.effect === 'deny' && coversOwn(other, rule, budget)) : -1
    return hiding === -1 ? [] : [{ ruleIndex, message: `never allows anything: rules[${hiding}] denies all of it` }]
  })
}

function neverMatches({ effect, conditions }: Rule, budget: Budget): string | undefined {
  for (const [place, condition] of conditions.entries()) {
    // A deny matches where the attribute is missing, whatever else it asks for.
    if (effect === 'deny') continue
    if (condition.values.length > 0 && condition.values.every((value) => typeof value === 'string' && isNoPathOfOurs(condition, value))) {
      return `conditions[${place}] asks for a path with an empty, . or .. segment, or a / at its end, and no checked path has one`
    }
    const other = conditions.slice(0, place).findIndex((earlier) => contradicts(earlier, condition, budget))
    if (other !== -1) return `conditions[${other}] and conditions[${place}] can't both be met`
  }
  return undefined
}

const POSITIVE = new Set(['eq', 'in', 'glob'])

const isNoPathOfOurs = ({ operator }: Condition, value: string): boolean => POSITIVE.has(operator) && isPath(value) && /\/\.{0,2}\/|.\/\.{0,2}$/.test(value)
