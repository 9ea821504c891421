import { z } from 'zod'
import { Effect, Operator, type Rule } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { wrongUsage } from './failure.js'

// How rules are written on the command line and in rule files; what a role may hold is judged by the server.

const effects = { allow: Effect.ALLOW, deny: Effect.DENY } as const
const operators = { eq: Operator.EQ, in: Operator.IN, glob: Operator.GLOB } as const

const condition = z
  .strictObject({ attribute: z.string(), operator: z.enum(['eq', 'in', 'glob']), values: z.array(z.string()) })
  .transform((written) => ({ ...written, operator: operators[written.operator] }))

const rule = z
  .strictObject({
    effect: z.enum(['allow', 'deny']).default('allow'),
    resources: z.array(z.string()),
    actions: z.array(z.string()),
    conditions: z.array(condition).default([]),
  })
  .transform((written) => ({ ...written, effect: effects[written.effect] }))

/** A JSON list of rules. */
export function parseRules(json: string, source: string): Rule[] {
  const parsed = z.array(rule).safeParse(parseJson(json, source))
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
export function parseShortRule(effect: 'allow' | 'deny', text: string): Rule {
  const [, actions, resources, ...more] = /^\s*(\S.*?)\s+on\s+(\S.*?)\s*$/.exec(text) ?? []
  if (actions === undefined || resources === undefined || more.length > 0) {
    throw wrongUsage(`--${effect} "${text}" is not a rule: write it as "read,write on orders,invoices".`)
  }
  return { effect: effects[effect], resources: words(resources), actions: words(actions), conditions: [] }
}

const words = (text: string): string[] => text.split(',').map((word) => word.trim())

/** A rule as it is written in rule files, so that a role's rules can be edited and sent back. */
export const writtenRule = ({ effect, resources, actions, conditions }: Rule) => ({
  effect: wordFor(effects, effect),
  resources,
  actions,
  conditions: conditions.map(({ attribute, operator, values }) => ({ attribute, operator: wordFor(operators, operator), values })),
})

const wordFor = (words: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(words).find(([, known]) => known === value)?.[0] ?? `unknown-${value}`

/** `allow read,write on orders where path glob /a/**`. */
export function ruleText(rule: Rule): string {
  const { effect, resources, actions, conditions } = writtenRule(rule)
  const where = conditions.map(({ attribute, operator, values }) => `${attribute} ${operator} ${values.join(',')}`)
  return [`${effect} ${actions.join(',')} on ${resources.join(',')}`, ...(where.length > 0 ? [`where ${where.join(' and ')}`] : [])].join(' ')
}
