import { z } from 'zod'
import { rulesFrom } from '#libs/rpc/rule-message.js'
import type { Effect } from '#libs/rules/condition.js'
import { ruleJson } from '#libs/rules/json.js'
import type { Rule } from '#libs/rules/rule.js'
import type { Rule as RuleMessage } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { Failure, wrongUsage } from './failure.js'

// How rules are written on the command line and in rule files; what a role may hold is judged by the server.

/** A JSON list of rules. */
export function parseRules(json: string, source: string): Rule[] {
  const parsed = z.array(ruleJson).safeParse(parseJson(json, source))
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${place(path)}: ${message}`)
  throw wrongUsage(`${source} is not a list of rules: ${problems.join('; ')}`)
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
