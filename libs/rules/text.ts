import type { Rule } from './rule.js'
import type { Scalar } from './value.js'

/** `allow read,write on orders where path glob /a/**`. */
export function ruleText({ effect, resources, actions, conditions }: Rule): string {
  const where = conditions.map(({ attribute, operator, values }) => `${attribute} ${operator} ${values.map(valueText).join(',')}`)
  return [`${effect} ${actions.join(',')} on ${resources.join(',')}`, ...(where.length > 0 ? [`where ${where.join(' and ')}`] : [])].join(' ')
}

const valueText = (value: Scalar): string => (typeof value === 'object' ? value.time : String(value))
