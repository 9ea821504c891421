import { z } from 'zod'
import { rulesFrom } from '#libs/rpc/rule-message.js'
import type { Effect } from '#libs/rules/condition.js'
import { infisicalRule, ruleFromInfisical, ruleToInfisical } from '#libs/rules/infisical.js'
import { ruleJson } from '#libs/rules/json.js'
import type { Rule } from '#libs/rules/rule.js'
import type { Rule as RuleMessage } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { Failure, wrongUsage } from './failure.js'

// How rules are written on the command line and in rule files; what a role may hold is judged by the server.

/** How rules are written in a file. */
export const FORMS = ['countersign', 'infisical'] as const
export type Form = (typeof FORMS)[number]

/** A JSON list of rules. */
export function parseRules(json: string, source: string, form: Form = 'countersign'): Rule[] {
  const document = parseJson(json, source)
  return form === 'infisical' ? fromInfisical(document, source) : read(z.array(ruleJson), document, source)
}

function read<T>(schema: z.ZodType<T>, document: unknown, source: string): T {
  const parsed = schema.safeParse(document)
  if (parsed.success) return parsed.data
  throw noRules(source, parsed.error.issues.map(({ path, message }) => `${place(path)}: ${message}`))
}

const noRules = (source: string, problems: readonly string[]): Failure => wrongUsage(`${source} is not a list of rules: ${problems.join('; ')}`)

function fromInfisical(document: unknown, source: string): Rule[] {
  const problems: string[] = []
  const rules = read(z.array(infisicalRule), document, source).map((rule, index) => ruleFromInfisical(rule, (field) => (problem) => problems.push(`rules[${index}].${field} ${problem}`)))
  if (problems.length > 0) throw noRules(source, problems)
  return rules
}

/** The rules of a role as Infisical writes them; what can't be said there is a failure, and not left out. */
export function infisicalRules(messages: readonly RuleMessage[]) {
  const problems: string[] = []
  const rules = writtenRules(messages).map((rule, index) => ruleToInfisical(rule, (field) => (problem) => problems.push(`rules[${index}].${field} ${problem}`)))
  if (problems.length > 0) throw new Failure({ exitCode: 1, reason: 'NOT_IN_THIS_FORM', message: `These rules can't be written in this form: ${problems.join('; ')}`, metadata: {} })
  return rules
}

function parseJson(json: string, source: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw wrongUsage(`${source} is not JSON.`)
  }
}

const place = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`), 'rules')

/** `read,write on orders,invoices`. */
export function parseShortRule(effect: Effect, text: string): Rule {
  const [, actions, resources, ...more] = /^\s*(\S.*?)\s+on\s+(\S.*?)\s*$/.exec(text) ?? []
  if (actions === undefined || resources === undefined || more.length > 0) {
    throw wrongUsage(`--${effect} "${text}" is not a rule: write it as "read,write on orders,invoices".`)
  }
  return { effect, resources: words(resources), actions: words(actions), conditions: [] }
}

const words = (text: string): string[] => text.split(',').map((word) => word.trim())

/** The rules of a role as they are written in rule files, so that they can be edited and sent back. */
export const writtenRules = (messages: readonly RuleMessage[]): Rule[] =>
  rulesFrom(messages, (field) => (problem) => {
    throw new Failure({ exitCode: 1, reason: 'COMMAND_LINE_OUTDATED', message: `The server is newer than this command line: ${field} ${problem}.`, metadata: {} })
  })
