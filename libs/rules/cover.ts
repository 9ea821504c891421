import { type Budget, wholeBudget } from './budget.js'
import type { Condition } from './condition.js'
import { excludes, implies, impliesUndecided } from './implication.js'
import { ANY, type Rule } from './rule.js'

// What one rule proves of another: nobody may hand on what no single rule of their own covers. A no means not proven. The
// rules may be those of two identities, of whom their templates then speak. Many proofs share one budget.

/** Whether the one allow allows everything that the other does. */
export function covers(wide: Rule, narrow: Rule, budget: Budget = wholeBudget()): boolean {
  return speaksOfAll(wide, narrow, budget) && wide.conditions.every((wanted) => narrow.conditions.some((given) => implies(given, wanted, budget)))
}

/** Whether the one deny denies everything that the other does. */
export function coversDeny(wide: Rule, narrow: Rule, budget: Budget = wholeBudget()): boolean {
  return speaksOfAll(wide, narrow, budget) && wide.conditions.every((wanted) => narrow.conditions.some((given) => impliesUndecided(given, wanted, budget)))
}

/** Whether the deny denies nothing of what the allow allows. */
export function isDisjoint(allow: Rule, deny: Rule, budget: Budget = wholeBudget()): boolean {
  const partWays = (one: readonly string[], other: readonly string[]) => !one.includes(ANY) && !other.includes(ANY) && !one.some((word) => other.includes(word))
  if (partWays(allow.resources, deny.resources) || partWays(allow.actions, deny.actions)) return true
  return allow.conditions.some((given) => deny.conditions.some((wanted) => excludes(given, wanted, budget)))
}

// The same where one identity holds both, so that a placeholder is in both what it is.

/** Whether the rule, an allow or a deny, matches wherever the allow does. */
export function coversOwn(wide: Rule, narrow: Rule, budget: Budget = wholeBudget()): boolean {
  return speaksOfAll(wide, narrow, budget) && wide.conditions.every((wanted) => narrow.conditions.some((given) => isSame(given, wanted) || implies(given, wanted, budget)))
}

/** Whether the one deny denies everything that the other does. */
export function coversOwnDeny(wide: Rule, narrow: Rule, budget: Budget = wholeBudget()): boolean {
  return speaksOfAll(wide, narrow, budget) && wide.conditions.every((wanted) => narrow.conditions.some((given) => isSame(given, wanted) || impliesUndecided(given, wanted, budget)))
}

const isSame = (one: Condition, other: Condition): boolean => JSON.stringify(one) === JSON.stringify(other)

/** What it takes to look at two rules, beside their words. */
const RULE_STEPS = 10

function speaksOfAll(wide: Rule, narrow: Rule, budget: Budget): boolean {
  if (!budget.take(RULE_STEPS + wide.resources.length + wide.actions.length)) return false
  const has = (words: readonly string[], all: readonly string[]) => words.includes(ANY) || all.every((word) => words.includes(word))
  return has(wide.resources, narrow.resources) && has(wide.actions, narrow.actions)
}
