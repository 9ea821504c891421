import type { Report } from '../domain-error.js'
import type { Condition } from './condition.js'
import { globProblem } from './glob.js'

export type Effect = 'allow' | 'deny'

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

function checkCondition({ attribute, operator, values }: Condition, at: At): void {
  if (!isWord(attribute)) at('attribute')(WORD_PROBLEM)
  if (operator === 'in' && (values.length === 0 || values.length > MAX_VALUES)) at('values')(`must be 1 to ${MAX_VALUES}`)
  if (operator !== 'in' && values.length !== 1) at('values')('must be exactly one')
  for (const [index, value] of values.entries()) {
    const report = at(`values[${index}]`)
    if (value.length === 0 || value.length > MAX_VALUE_LENGTH) report(`must be 1 to ${MAX_VALUE_LENGTH} characters`)
    // A database can't hold NUL in JSON, and the other is what decoding makes of bytes that are no UTF-8.
    if (value.includes('\0') || value.includes('\ufffd')) report('must be UTF-8 without NUL')
    const problem = operator === 'glob' ? globProblem(value) : undefined
    if (problem !== undefined) report(problem)
  }
}
