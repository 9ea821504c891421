import type { Condition, Effect, Operator } from './condition.js'
import { globProblem } from './glob.js'
import { subnetOf } from './subnet.js'
import { isTemplate, type Problem, templateProblem } from './template.js'
import { type Scalar, timeOf, typeOf } from './value.js'

/** Allows or denies some actions on some types of resource, where all of its conditions hold. */
export type Rule = {
  readonly effect: Effect
  /** Words, or the one word `*` for any. */
  readonly resources: readonly string[]
  readonly actions: readonly string[]
  readonly conditions: readonly Condition[]
}

export const ANY = '*'

const WORD = /^[a-z0-9._-]{1,64}$/

/** Types of resource, actions and names of attributes are words. */
export const isWord = (text: string): boolean => WORD.test(text)

export const WORD_PROBLEM = 'must be 1 to 64 characters of a-z, 0-9, . _ and -'

const MAX_RULES = 100
const MAX_WORDS = 50
const MAX_CONDITIONS = 20
const MAX_VALUES = 100
const MAX_VALUE_LENGTH = 1000

/** Says what is wrong with what it was made for; as libs/domain-error.ts has it, which knows rules itself. */
type Report = (problem: string) => void

type At = (field: string) => Report

/** Reports everything that is wrong with the rules of a role, each problem at its place: `rules[2].conditions[0].values[1]`. */
export function checkRules(rules: readonly Rule[], at: At): void {
  if (rules.length > MAX_RULES) at('rules')(`must be at most ${MAX_RULES}`)
  for (const [index, rule] of rules.entries()) {
    const inRule: At = (field) => at(`rules[${index}].${field}`)
    checkWords(rule.resources, 'resources', inRule)
    checkWords(rule.actions, 'actions', inRule)
    if (rule.conditions.length > MAX_CONDITIONS) inRule('conditions')(`must be at most ${MAX_CONDITIONS}`)
    for (const [place, condition] of rule.conditions.entries()) {
      checkCondition(condition, (field) => inRule(`conditions[${place}].${field}`))
    }
  }
}

function checkWords(words: readonly string[], field: string, at: At): void {
  if (words.length === 0) at(field)('must not be empty')
  if (words.length > MAX_WORDS) at(field)(`must be at most ${MAX_WORDS}`)
  if (words.length > 1 && words.includes(ANY)) at(field)('must be * alone, or words without it')
  for (const [index, word] of words.entries()) {
    if (word !== ANY && !isWord(word)) at(`${field}[${index}]`)(`${WORD_PROBLEM}, or *`)
  }
}

const TAKES_MANY: ReadonlySet<Operator> = new Set(['in', 'not_in', 'cidr'])

function checkCondition({ attribute, operator, values }: Condition, at: At): void {
  if (!isWord(attribute)) at('attribute')(WORD_PROBLEM)
  const many = TAKES_MANY.has(operator)
  if (many && (values.length === 0 || values.length > MAX_VALUES)) at('values')(`must be 1 to ${MAX_VALUES}`)
  if (!many && values.length !== 1) at('values')('must be exactly one')
  if (new Set(values.map(typeOf)).size > 1) at('values')('must be of one type')
  for (const [index, value] of values.entries()) checkValue(operator, value, at(`values[${index}]`))
}

function checkValue(operator: Operator, value: Scalar, report: Report): void {
  if (operator === 'exists') {
    if (typeof value !== 'boolean') report('must be true or false')
    return
  }
  if (typeof value === 'number' && !Number.isFinite(value)) report('must be a finite number')
  if (typeof value === 'object' && timeOf(new Date(value.time))?.time !== value.time) report('must be a time, in UTC and with milliseconds')
  if (typeof value === 'string') return checkText(operator, value, report)
  if (operator === 'glob' || operator === 'not_glob' || operator === 'cidr') report('must be a text')
}

function checkText(operator: Operator, value: string, report: Report): void {
  if (value.length === 0 || value.length > MAX_VALUE_LENGTH) report(`must be 1 to ${MAX_VALUE_LENGTH} characters`)
  // A database can't hold NUL in JSON, and the other is what decoding makes of bytes that are no UTF-8.
  if (value.includes('\0') || value.includes('\ufffd')) report('must be UTF-8 without NUL')
  if (operator === 'cidr') {
    if (!subnetOf(value)) report('must be an address or a range of them such as 10.0.0.0/8, with nothing set behind its prefix')
    return
  }
  const found = templateProblem(value) ?? (operator === 'glob' || operator === 'not_glob' ? (escapedPlaceholder(value) ?? globProblem(withoutPlaceholders(value))) : undefined)
  if (found) report(said(found))
}

const said = ({ column, problem }: Problem): string => `${problem}, at character ${column}`

/** It would escape the first character of what is inserted, or undo its escape. */
function escapedPlaceholder(pattern: string): Problem | undefined {
  const found = /(?<!\\)(?:\\\\)*\\(?=\{\{)/.exec(pattern)
  return found ? { column: found.index + found[0].length, problem: 'has a \\ in front of a placeholder' } : undefined
}

/** As long as it was, so that columns stay. */
const withoutPlaceholders = (pattern: string): string => (isTemplate(pattern) ? pattern.replace(/\{\{[^{}]*\}\}/g, (whole) => '.'.repeat(whole.length)) : pattern)
