import { compileGlob, escapeGlob } from './glob.js'
import { subnetOf, type Subnet } from './subnet.js'
import { isTemplate, render, type Subject, type Template, templateOf } from './template.js'
import { isList, keyOf, type Scalar, textIn, typeOf, type Value } from './value.js'

export const OPERATORS = ['eq', 'ne', 'in', 'not_in', 'glob', 'not_glob', 'cidr', 'exists'] as const

export type Operator = (typeof OPERATORS)[number]

/** Compares one attribute with one or more values, all of one type. */
export type Condition = { readonly attribute: string; readonly operator: Operator; readonly values: readonly Scalar[] }

/** By name: of the checked resource, and of the request's context, whose names begin with `context.`. */
export type Attributes = ReadonlyMap<string, Value>

export type Effect = 'allow' | 'deny'

/** Whether a rule matches as far as this condition goes. */
export type CompiledCondition = (attributes: Attributes, subject: Subject) => boolean

/** Undefined where there is no saying: the types differ, or a placeholder is not known. */
type Test = (value: Scalar, subject: Subject) => boolean | undefined

/**
 * What is missing, of another type or not known is never a reason to allow, and always one to deny. A list has to meet the
 * condition of an allow with each of its elements and that of a deny with one of them; an empty one counts as missing.
 */
export function compileCondition({ attribute, operator, values }: Condition, effect: Effect): CompiledCondition {
  if (operator === 'exists') {
    const wanted = values[0] === true
    return (attributes) => attributes.has(attribute) === wanted
  }
  const test = testOf(operator, values)
  return effect === 'allow' ? metByAll(attribute, test) : metByAny(attribute, test)
}

const metByAll = (attribute: string, test: Test): CompiledCondition => (attributes, subject) => {
  const value = attributes.get(attribute)
  if (value === undefined) return false
  return isList(value) ? value.length > 0 && value.every((one) => test(one, subject) === true) : test(value, subject) === true
}

const metByAny = (attribute: string, test: Test): CompiledCondition => (attributes, subject) => {
  const value = attributes.get(attribute)
  if (value === undefined) return true
  return isList(value) ? value.length === 0 || value.some((one) => test(one, subject) !== false) : test(value, subject) !== false
}

function testOf(operator: Exclude<Operator, 'exists'>, values: readonly Scalar[]): Test {
  switch (operator) {
    case 'eq':
    case 'in':
      return isOneOf(values)
    case 'ne':
    case 'not_in':
      return not(isOneOf(values))
    case 'glob':
      return matchesOne(values)
    case 'not_glob':
      return not(matchesOne(values))
    case 'cidr':
      return isWithin(values)
  }
}

const not = (test: Test): Test => (value, subject) => {
  const met = test(value, subject)
  return met === undefined ? undefined : !met
}

function isOneOf(values: readonly Scalar[]): Test {
  const [type, templates] = [values.map(typeOf)[0], templatesIn(values)]
  const known = new Set(values.filter((value) => typeof value !== 'string' || !isTemplate(value)).map(keyOf))
  const isKnown: Test = (value) => (typeOf(value) === type ? known.has(keyOf(value)) : undefined)
  return templates.length === 0 ? isKnown : either([isKnown, ...templates.map((template) => isRendered(template))])
}

const isRendered = (template: Template): Test => (value, subject) => {
  const text = render(template, subject)
  return text === undefined || typeof value !== 'string' ? undefined : value === text
}

const templatesIn = (values: readonly Scalar[]): Template[] =>
  values.flatMap((value) => (typeof value === 'string' && isTemplate(value) ? [templateOf(value)] : []))

/** Met by one is met, whatever is not known of the others. */
const either = (tests: readonly Test[]): Test => (value, subject) => {
  let unknown = false
  for (const test of tests) {
    const met = test(value, subject)
    if (met === true) return true
    unknown ||= met === undefined
  }
  return unknown ? undefined : false
}

function matchesOne(patterns: readonly Scalar[]): Test {
  const tests = patterns.map(textIn).map((pattern) => (isTemplate(pattern) ? matchesRendered(templateOf(pattern)) : matchesGlob(pattern)))
  const [only] = tests
  return only && tests.length === 1 ? only : either(tests)
}

function matchesGlob(pattern: string): Test {
  const glob = compileGlob(pattern)
  return (value) => (typeof value === 'string' ? glob.matches(value) : undefined)
}

const RENDERED_AT_MOST = 100

/** A role is shared by all who hold it: the globs of some of them are kept. */
function matchesRendered(template: Template): Test {
  const rendered = new Map<string, Test>()
  return (value, subject) => {
    const pattern = render(template, subject, escapeGlob)
    if (pattern === undefined) return undefined
    const test = rendered.get(pattern) ?? matchesGlob(pattern)
    if (rendered.size >= RENDERED_AT_MOST) rendered.clear()
    rendered.set(pattern, test)
    return test(value, subject)
  }
}

function isWithin(subnets: readonly Scalar[]): Test {
  const wanted = subnets.map((text) => subnetOf(textIn(text))).filter((subnet): subnet is Subnet => subnet !== undefined)
  const tests = wanted.map((subnet): Test => (value) => (typeof value === 'string' ? subnet.holds(value) : undefined))
  return either(tests)
}
