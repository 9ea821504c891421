import type { Condition } from './condition.js'
import { escapeGlob } from './glob.js'
import { areGlobsDisjoint, isGlobWithin } from './glob-language.js'
import { type Subnet, subnetOf } from './subnet.js'
import { isTemplate, templateOf } from './template.js'
import { keyOf, type Scalar, type ScalarType, textIn, typeOf } from './value.js'

// What one condition proves of another about the same attribute. Each question is answered with yes only where it is proven
// for every value and, since a template may become any text, for every identity.

/** What a value has to be like: a text that matches one of the globs, one of some values, an address in some ranges. */
type Wanted =
  | { readonly kind: 'texts'; readonly globs: readonly string[]; readonly hasTemplate: boolean }
  | { readonly kind: 'values'; readonly type: ScalarType; readonly keys: ReadonlySet<string | number | boolean> }
  | { readonly kind: 'addresses'; readonly subnets: readonly Subnet[] }

/** A condition that isn't EXISTS, taken apart: it wants something of the value, or wants it not. */
type Parts = { readonly wanted: Wanted; readonly negated: boolean }

/** Whether every value that meets the one condition meets the other. */
export function implies(narrow: Condition, wide: Condition): boolean {
  if (narrow.attribute !== wide.attribute) return false
  // Whatever else is asked of an attribute is not met where it is missing.
  if (wide.operator === 'exists') return isAbsence(wide) ? isAbsence(narrow) : !isAbsence(narrow)
  if (narrow.operator === 'exists') return false
  const [inner, outer] = [partsOf(narrow), partsOf(wide)]
  if (hasTemplate(outer)) return false
  if (outer.negated) return inner.negated ? !hasTemplate(inner) && isWithin(outer.wanted, inner.wanted) : areDisjoint(inner.wanted, outer.wanted)
  return inner.negated ? inner.wanted.kind === 'texts' && isWithin(ANY_TEXT, outer.wanted) : isWithin(inner.wanted, outer.wanted)
}

/** Whether no value that meets the one condition meets the other, or leaves it undecided. */
export function excludes(one: Condition, other: Condition): boolean {
  if (one.attribute !== other.attribute) return false
  if (one.operator === 'exists' || other.operator === 'exists') {
    return isAbsence(one) ? other.operator === 'exists' && !isAbsence(other) : isAbsence(other)
  }
  const [met, unmet] = [partsOf(one), partsOf(other)]
  // What it asks for may not be known of the identity: then it is undecided.
  if (hasTemplate(unmet)) return false
  if (unmet.negated) return !met.negated && isWithin(met.wanted, unmet.wanted)
  return met.negated ? !hasTemplate(met) && isWithin(unmet.wanted, met.wanted) : areDisjoint(met.wanted, unmet.wanted)
}

/** Whether no value of one identity meets both. */
export function contradicts(one: Condition, other: Condition): boolean {
  if (one.attribute !== other.attribute) return false
  if (one.operator === 'exists' || other.operator === 'exists') return isAbsence(one) !== isAbsence(other)
  const [first, second] = [partsOf(one), partsOf(other)]
  if (typeWanted(first) !== typeWanted(second)) return true
  if (first.negated && second.negated) return false
  if (first.negated) return !hasTemplate(first) && isWithin(second.wanted, first.wanted)
  if (second.negated) return !hasTemplate(second) && isWithin(first.wanted, second.wanted)
  return areDisjoint(first.wanted, second.wanted)
}

/** Whether a value that meets the one condition, or leaves it undecided, never fails the other. */
export function impliesUndecided(narrow: Condition, wide: Condition): boolean {
  if (narrow.operator === 'exists' || wide.operator === 'exists') return narrow.operator === wide.operator && implies(narrow, wide)
  const inner = partsOf(narrow)
  return !hasTemplate(inner) && implies(narrow, wide)
}

const typeWanted = ({ wanted }: Parts): ScalarType => (wanted.kind === 'values' ? wanted.type : 'string')

const isAbsence = ({ operator, values }: Condition): boolean => operator === 'exists' && values[0] !== true

const hasTemplate = ({ wanted }: Parts): boolean => wanted.kind === 'texts' && wanted.hasTemplate

const ANY_TEXT: Wanted = { kind: 'texts', globs: ['**'], hasTemplate: false }

function partsOf({ operator, values }: Condition): Parts {
  const negated = operator === 'ne' || operator === 'not_in' || operator === 'not_glob'
  if (operator === 'cidr') return { negated, wanted: { kind: 'addresses', subnets: values.flatMap((text) => subnetOf(textIn(text)) ?? []) } }
  const texts = values.filter((value) => typeof value === 'string')
  const isGlob = operator === 'glob' || operator === 'not_glob'
  if (isGlob || texts.length > 0) {
    return { negated, wanted: { kind: 'texts', globs: texts.map((text) => globOf(text, isGlob)), hasTemplate: texts.some(isTemplate) } }
  }
  // What is not the one bool is the other.
  if (negated && typeof values[0] === 'boolean') return { negated: false, wanted: valuesOf([true, false].filter((value) => !values.includes(value))) }
  return { negated, wanted: valuesOf(values) }
}

const valuesOf = (values: readonly Scalar[]): Wanted => ({ kind: 'values', type: typeOf(values[0] ?? true), keys: new Set(values.map(keyOf)) })

/** The glob of all that the text can become. */
const globOf = (text: string, isGlob: boolean): string =>
  templateOf(text).map((part) => (typeof part !== 'string' ? '**' : isGlob ? part : escapeGlob(part))).join('')

function isWithin(narrow: Wanted, wide: Wanted): boolean {
  if (narrow.kind === 'texts' && wide.kind === 'texts') return narrow.globs.every((glob) => wide.globs.some((other) => isGlobWithin(glob, other)))
  if (narrow.kind === 'values' && wide.kind === 'values') return narrow.type === wide.type && [...narrow.keys].every((key) => wide.keys.has(key))
  if (wide.kind === 'addresses') {
    if (narrow.kind === 'addresses') return narrow.subnets.every((subnet) => wide.subnets.some((other) => other.covers(subnet)))
    return narrow.kind === 'texts' && narrow.globs.every((glob) => wide.subnets.some((subnet) => subnet.holds(glob) === true))
  }
  return false
}

function areDisjoint(one: Wanted, other: Wanted): boolean {
  if (one.kind === 'texts' && other.kind === 'texts') return one.globs.every((glob) => other.globs.every((wanted) => areGlobsDisjoint(glob, wanted)))
  if (one.kind === 'values' && other.kind === 'values') return one.type === other.type && ![...one.keys].some((key) => other.keys.has(key))
  if (one.kind === 'addresses' && other.kind === 'addresses') return one.subnets.every((subnet) => !other.subnets.some((wanted) => wanted.covers(subnet) || subnet.covers(wanted)))
  return other.kind === 'addresses' && one.kind === 'texts' && one.globs.every((glob) => other.subnets.every((subnet) => subnet.holds(glob) === false))
}
