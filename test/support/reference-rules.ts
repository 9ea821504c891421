import type { Condition } from '#libs/rules/condition.js'
import type { Asked } from '#libs/rules/compile.js'
import type { Rule } from '#libs/rules/rule.js'
import type { Subject } from '#libs/rules/template.js'
import { isList, type Scalar, textIn, type Value } from '#libs/rules/value.js'
import { referenceMatches } from './reference-glob.js'

// What rules mean, written down once more: slowly, rule by rule and value by value, as docs/permissions.md says it.

export type ReferenceDecision = 'allowed' | 'denied' | 'no rule'

export function referenceDecision(rules: readonly Rule[], asked: Asked): ReferenceDecision {
  if (rules.some((rule) => rule.effect === 'deny' && referenceRule(rule, asked))) return 'denied'
  return rules.some((rule) => rule.effect === 'allow' && referenceRule(rule, asked)) ? 'allowed' : 'no rule'
}

export function referenceRule({ effect, actions, resources, conditions }: Rule, { action, resource, attributes, subject }: Asked): boolean {
  if (!actions.includes('*') && !actions.includes(action)) return false
  if (!resources.includes('*') && !resources.includes(resource)) return false
  return conditions.every((condition) => {
    const value = attributes.get(condition.attribute)
    if (condition.operator === 'exists') return (value !== undefined) === (condition.values[0] === true)
    const elements = elementsOf(value)
    if (elements.length === 0) return effect === 'deny'
    const outcomes = elements.map((element) => outcome(condition, element, subject))
    return effect === 'allow' ? outcomes.every((one) => one === 'yes') : outcomes.some((one) => one !== 'no')
  })
}

function elementsOf(value: Value | undefined): readonly Scalar[] {
  if (value === undefined) return []
  return isList(value) ? value : [value]
}

type Outcome = 'yes' | 'no' | 'nobody knows'

const opposite: Record<Outcome, Outcome> = { yes: 'no', no: 'yes', 'nobody knows': 'nobody knows' }

function outcome({ operator, values }: Condition, element: Scalar, subject: Subject): Outcome {
  switch (operator) {
    case 'eq':
    case 'in':
      return any(values.map((value) => equality(value, element, subject)))
    case 'ne':
    case 'not_in':
      return opposite[any(values.map((value) => equality(value, element, subject)))]
    case 'glob':
      return any(values.map((value) => likeness(textIn(value), element, subject)))
    case 'not_glob':
      return opposite[any(values.map((value) => likeness(textIn(value), element, subject)))]
    case 'cidr':
      return any(values.map((value) => membership(textIn(value), element)))
    case 'exists':
      throw new Error('exists asks nothing of a value')
  }
}

function any(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes('yes')) return 'yes'
  return outcomes.includes('nobody knows') ? 'nobody knows' : 'no'
}

function equality(wanted: Scalar, element: Scalar, subject: Subject): Outcome {
  if (typeof wanted !== typeof element) return 'nobody knows'
  const filled = typeof wanted === 'string' ? filledIn(wanted, subject, (text) => text) : wanted
  if (filled === undefined) return 'nobody knows'
  return JSON.stringify(filled) === JSON.stringify(element) ? 'yes' : 'no'
}

function likeness(pattern: string, element: Scalar, subject: Subject): Outcome {
  const filled = filledIn(pattern, subject, (text) => [...text].map((character) => (/[*?{},\\]/.test(character) ? `\\${character}` : character)).join(''))
  if (filled === undefined || typeof element !== 'string') return 'nobody knows'
  return referenceMatches(filled, element) ? 'yes' : 'no'
}

/** The text with every placeholder replaced; undefined where one of them is not known. */
function filledIn(text: string, { id, name, metadata, auth }: Subject, written: (value: string) => string): string | undefined {
  const [before = '', ...rest] = text.split('{{')
  let filled = before
  for (const piece of rest) {
    const [placeholder = '', after = ''] = piece.split('}}')
    const [, what, ...key] = placeholder.trim().split('.')
    const value = what === 'id' ? id : what === 'name' ? name : (what === 'metadata' ? metadata : auth).get(key.join('.'))
    if (value === undefined) return undefined
    filled += written(value) + after
  }
  return filled
}

function membership(range: string, element: Scalar): Outcome {
  if (typeof element !== 'string') return 'nobody knows'
  const [address = '', prefix] = range.split('/')
  const [inside, asked] = [bitsOf(address), bitsOf(element)]
  if (inside === undefined || asked === undefined) return 'nobody knows'
  if (inside.length !== asked.length) return 'no'
  const length = prefix === undefined ? inside.length : Number(prefix)
  return inside.slice(0, length) === asked.slice(0, length) ? 'yes' : 'no'
}

/** The bits of an IPv4 address in four plain numbers, or of an IPv6 address in eight groups. */
function bitsOf(address: string): string | undefined {
  const bytes = address.split('.').map(Number)
  if (/^\d+(\.\d+){3}$/.test(address) && bytes.every((byte) => byte < 256)) return bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = address.split(':')
  return groups.length === 8 ? groups.map((group) => parseInt(group, 16).toString(2).padStart(16, '0')).join('') : undefined
}
