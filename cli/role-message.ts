import type { Role } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { ruleText } from '#libs/rules/text.js'
import { writtenRules } from './rules.js'
import { record } from './table.js'

export const roleDocument = (role: Role) => ({ ...role, rules: writtenRules(role.rules) })

/** A role with its rules, each with the index by which decisions name it. */
export function roleLines(role: Role): string[] {
  const { id, name, projectId, description, builtIn } = role
  const scope = projectId === '' ? 'the organization' : `project ${projectId}`
  const fields = record([['id', id], ['name', name], ['for', scope], ['description', description], ['built in', builtIn ? 'yes' : 'no']])
  if (role.rules.length === 0) return [...fields, '', 'no rules']
  const warnings = role.warnings.map(({ ruleIndex, message }) => `warning: rule ${ruleIndex} ${message}`)
  return [...fields, '', ...record(writtenRules(role.rules).map((rule, index) => [`rule ${index}`, ruleText(rule)])), ...warnings]
}
