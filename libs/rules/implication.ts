import type { Budget } from './budget.js'
import type { Condition } from './condition.js'
import { compileGlob, escapeGlob, type Glob, literalStart } from './glob.js'
import { areGlobsDisjoint, isGlobWithin, type Machine, machineOf } from './glob-language.js'
import { type Subnet, subnetOf } from './subnet.js'
import { isTemplate, templateOf } from './template.js'
import { keyOf, type Scalar, type ScalarType, textIn, typeOf } from './value.js'

// What one condition proves of another about the same attribute. Each question is answered with yes only where it is proven
// for every value and, since a template may become any text, for every identity.

/** A glob that is no single text. */
type Pattern = { readonly glob: Glob; readonly machine: Machine }

/** What a value has to be like: one of some texts or a match of one of some globs, one of some values, an address in some ranges. */
type Wanted =
  | { readonly kind: 'texts'; readonly texts: ReadonlySet<string>; readonly patterns: readonly Pattern[]; readonly hasTemplate: boolean }
  | { readonly kind: 'values'; readonly type: ScalarType; readonly keys: ReadonlySet<string | number | boolean> }
  | { readonly kind: 'addresses'; readonly subnets: readonly Subnet[] }

/** A condition that isn't EXISTS, taken apart: it wants something of the value, or wants it not. */
type Parts = { readonly wanted: Wanted; readonly negated: boolean }

/** What it takes to look at two conditions. */
const CONDITION_STEPS = 20

/** Whether every value that meets the one condition meets the other. */
export function implies(narrow: Condition, wide: Condition, budget: Budget): boolean {
  if (!budget.take(CONDITION_STEPS)) return false
  if (narrow.attribute !== wide.attribute) return false
  // Whatever else is asked of an attribute is not met where it is missing.
  if (wide.operator === 'exists') return isAbsence(wide) ? isAbsence(narrow) : !isAbsence(narrow)
  if (narrow.operator === 'exists') return false
  const [inner, outer] = [partsOf(narrow), partsOf(wide)]
  if (hasTemplate(outer)) return false
  if (outer.negated) return inner.negated ? !hasTemplate(inner) && isWithin(outer.wanted, inner.wanted, budget) : areDisjoint(inner.wanted, outer.wanted, budget)
  return inner.negated ? inner.wanted.kind === 'texts' && isWithin(ANY_TEXT, outer.wanted, budget) : isWithin(inner.wanted, outer.wanted, budget)
}

/** Whether no value that meets the one condition meets the other, or leaves it undecided. */
export function excludes(one: Condition, other: Condition, budget: Budget): boolean {
  if (!budget.take(CONDITION_STEPS)) return false
  if (one.attribute !== other.attribute) return false
  if (one.operator === 'exists' || other.operator === 'exists') {
    return isAbsence(one) ? other.operator === 'exists' && !isAbsence(other) : isAbsence(other)
  }
  const [met, unmet] = [partsOf(one), partsOf(other)]
  // What it asks for may not be known of the identity: then it is undecided.
  if (hasTemplate(unmet)) return false
  if (unmet.negated) return !met.negated && isWithin(met.wanted, unmet.wanted, budget)
  return met.negated ? !hasTemplate(met) && isWithin(unmet.wanted, met.wanted, budget) : areDisjoint(met.wanted, unmet.wanted, budget)
}

/** Whether no value of one identity meets both. */
export function contradicts(one: Condition, other: Condition, budget: Budget): boolean {
  if (!budget.take(CONDITION_STEPS)) return false
  if (one.attribute !== other.attribute) return false
  if (one.operator === 'exists' || other.operator === 'exists') return isAbsence(one) !== isAbsence(other)
  const [first, second] = [partsOf(one), partsOf(other)]
  if (typeWanted(first) !== typeWanted(second)) return true
  if (first.negated && second.negated) return false
  if (first.negated) return !hasTemplate(first) && isWithin(second.wanted, first.wanted, budget)
  if (second.negated) return !hasTemplate(second) && isWithin(first.wanted, second.wanted, budget)
  return areDisjoint(first.wanted, second.wanted, budget)
}

/** Whether a value that meets the one condition, or leaves it undecided, never fails the other. */
export function impliesUndecided(narrow: Condition, wide: Condition, budget: Budget): boolean {
  if (!budget.take(CONDITION_STEPS)) return false
  if (narrow.operator === 'exists' || wide.operator === 'exists') return narrow.operator === wide.operator && implies(narrow, wide, budget)
  const inner = partsOf(narrow)
  return !hasTemplate(inner) && implies(narrow, wide, budget)
}

const typeWanted = ({ wanted }: Parts): ScalarType => (wanted.kind === 'values' ? wanted.type : 'string')

const isAbsence = ({ operator, values }: Condition): boolean => operator === 'exists' && values[0] !== true

const hasTemplate = ({ wanted }: Parts): boolean => wanted.kind === 'texts' && wanted.hasTemplate

const ANY_TEXT: Wanted = textsOf(['**'], false)

/** A condition is looked at with many others. */
const known = new WeakMap<Condition, Parts>()

function partsOf(condition: Condition): Parts {
  const parts = known.get(condition) ?? newParts(condition)
  known.set(condition, parts)
  return parts
}

function newParts({ operator, values }: Condition): Parts {
  const negated = operator === 'ne' || operator === 'not_in' || operator === 'not_glob'
  if (operator === 'cidr') return { negated, wanted: { kind: 'addresses', subnets: values.flatMap((text) => subnetOf(textIn(text)) ?? []) } }
  const texts = values.filter((value) => typeof value === 'string')
  const isGlob = operator === 'glob' || operator === 'not_glob'
  if (isGlob || texts.length > 0) return { negated, wanted: textsOf(texts.map((text) => globOf(text, isGlob)), texts.some(isTemplate)) }
  // What is not the one bool is the other.
  if (negated && typeof values[0] === 'boolean') return { negated: false, wanted: valuesOf([true, false].filter((value) => !values.includes(value))) }
  return { negated, wanted: valuesOf(values) }
}

/** Most globs are one text each, of which many can be looked up at once. */
function textsOf(globs: readonly string[], hasTemplate: boolean): Wanted {
  const starts = globs.map((glob) => ({ glob, ...literalStart(glob) }))
  const patterns = starts.filter(({ isWhole }) => !isWhole).map(({ glob }) => ({ glob: compileGlob(glob), machine: machineOf(glob) }))
  return { kind: 'texts', texts: new Set(starts.filter(({ isWhole }) => isWhole).map(({ text }) => text)), patterns, hasTemplate }
}

const valuesOf = (values: readonly Scalar[]): Wanted => ({ kind: 'values', type: typeOf(values[0] ?? true), keys: new Set(values.map(keyOf)) })

/** The glob of all that the text can become. */
const globOf = (text: string, isGlob: boolean): string =>
  templateOf(text).map((part) => (typeof part !== 'string' ? '**' : isGlob ? part : escapeGlob(part))).join('')

type Texts = Extract<Wanted, { kind: 'texts' }>

/** What it takes to try a text on a glob, beside its length. */
const MATCH_STEPS = 20

/** Whether the text is none of these, or one, for which there is budget. */
const isOneOf = (text: string, { texts, patterns }: Texts, budget: Budget): boolean =>
  texts.has(text) || patterns.some(({ glob }) => budget.take(MATCH_STEPS + text.length) && glob.matches(text))

function areTextsWithin(narrow: Texts, wide: Texts, budget: Budget): boolean {
  for (const text of narrow.texts) if (!budget.take(1) || !isOneOf(text, wide, budget)) return false
  return narrow.patterns.every(({ machine }) => wide.patterns.some((other) => isGlobWithin(machine, other.machine, budget)))
}

function areTextsDisjoint(one: Texts, other: Texts, budget: Budget): boolean {
  const [few, many] = one.texts.size < other.texts.size ? [one, other] : [other, one]
  for (const text of few.texts) if (!budget.take(1) || many.texts.has(text)) return false
  const isApart = (text: string, patterns: readonly Pattern[]) => patterns.every(({ glob }) => budget.take(MATCH_STEPS + text.length) && !glob.matches(text))
  return (
    [...one.texts].every((text) => isApart(text, other.patterns)) &&
    [...other.texts].every((text) => isApart(text, one.patterns)) &&
    one.patterns.every(({ machine }) => other.patterns.every((wanted) => areGlobsDisjoint(machine, wanted.machine, budget)))
  )
}

function isWithin(narrow: Wanted, wide: Wanted, budget: Budget): boolean {
  if (narrow.kind === 'texts' && wide.kind === 'texts') return areTextsWithin(narrow, wide, budget)
  if (narrow.kind === 'values' && wide.kind === 'values') return narrow.type === wide.type && budget.take(narrow.keys.size) && [...narrow.keys].every((key) => wide.keys.has(key))
  if (wide.kind === 'addresses') {
    if (narrow.kind === 'addresses') return narrow.subnets.every((subnet) => wide.subnets.some((other) => budget.take(ADDRESS_STEPS) && other.covers(subnet)))
    return narrow.kind === 'texts' && narrow.patterns.length === 0 && [...narrow.texts].every((text) => wide.subnets.some((subnet) => budget.take(ADDRESS_STEPS) && subnet.holds(text) === true))
  }
  return false
}

/** What it takes to compare two ranges, or to read an address. */
const ADDRESS_STEPS = 100

function areDisjoint(one: Wanted, other: Wanted, budget: Budget): boolean {
  if (one.kind === 'texts' && other.kind === 'texts') return areTextsDisjoint(one, other, budget)
  if (one.kind === 'values' && other.kind === 'values') return one.type === other.type && budget.take(one.keys.size) && ![...one.keys].some((key) => other.keys.has(key))
  if (one.kind === 'addresses' && other.kind === 'addresses') {
    return one.subnets.every((subnet) => other.subnets.every((wanted) => budget.take(ADDRESS_STEPS) && !wanted.covers(subnet) && !subnet.covers(wanted)))
  }
  return other.kind === 'addresses' && one.kind === 'texts' && one.patterns.length === 0 && [...one.texts].every((text) => other.subnets.every((subnet) => budget.take(ADDRESS_STEPS) && subnet.holds(text) === false))
}
