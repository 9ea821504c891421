import { z } from 'zod'
import type { Condition, Operator } from './condition.js'
import { globFromInfisical, globToInfisical, type Translated } from './infisical-glob.js'
import { ANY, type Rule } from './rule.js'
import { textIn } from './value.js'

// Rules as Infisical writes them: {subject, action, conditions: {field: {$eq, $ne, $in, $glob}}, inverted}. Both ways, as far
// as both can say the same; what can't be said in the other form is reported and nothing is left out in silence. Its names are
// in camel case and ours in words, `secretPath` is `secret_path`; its `manage` and `all` are `*`, its username is the name.
// Where an attribute is missing, an allow of ours does not match and a deny does: theirs goes by the operator.

const names = z.union([z.string(), z.array(z.string()).min(1)])

const operators = z.strictObject({ $eq: z.string(), $ne: z.string(), $in: z.array(z.string()).min(1), $glob: z.string() }).partial()

export const infisicalRule = z.strictObject({
  subject: names,
  action: names,
  conditions: z.record(z.string(), z.union([z.string(), operators])).optional(),
  inverted: z.boolean().default(false),
})

export type InfisicalRule = z.output<typeof infisicalRule>

type Report = (problem: string) => void
type At = (field: string) => Report

const OURS: readonly (readonly [keyof z.output<typeof operators>, Operator])[] = [['$eq', 'eq'], ['$ne', 'ne'], ['$in', 'in'], ['$glob', 'glob']]

/** One of their rules as ours; what can't be said here is reported at its field. */
export function ruleFromInfisical({ subject, action, conditions = {}, inverted }: InfisicalRule, at: At): Rule {
  const words = (given: string | string[], field: string, any: string) =>
    (typeof given === 'string' ? [given] : given).map((name) => (name === any || name === ANY ? ANY : wordFrom(name, at(field))))
  return {
    effect: inverted ? 'deny' : 'allow',
    resources: words(subject, 'subject', 'all'),
    actions: words(action, 'action', 'manage'),
    conditions: Object.entries(conditions).flatMap(([field, wanted]) => {
      const attribute = wordFrom(field, at(`conditions.${field}`))
      const given = typeof wanted === 'string' ? { $eq: wanted } : wanted
      return OURS.flatMap(([theirs, operator]): Condition[] => {
        const value = given[theirs]
        if (value === undefined) return []
        const values = (typeof value === 'string' ? [value] : value).map((text) => text.replace(/\{\{\s*identity\.username\s*\}\}/g, '{{identity.name}}'))
        const report = at(`conditions.${field}.${theirs}`)
        return [{ attribute, operator, values: operator === 'glob' ? values.map((pattern) => translated(globFromInfisical(pattern), report)) : values }]
      })
    }),
  }
}

/** One of our rules as theirs; what can't be said there is reported at its field. */
export function ruleToInfisical({ effect, resources, actions, conditions }: Rule, at: At): InfisicalRule {
  const theirs: Record<string, z.output<typeof operators>> = {}
  for (const [place, { attribute, operator, values }] of conditions.entries()) {
    const report = at(`conditions[${place}]`)
    const field = nameFrom(attribute, report)
    const [name] = OURS.find(([, ours]) => ours === operator) ?? []
    if (name === undefined) report(`has the operator ${operator}, which Infisical has not`)
    else if (theirs[field]?.[name] !== undefined) report(`is the second with ${operator} about ${attribute}, and Infisical has room for one`)
    else if (values.some((value) => typeof value !== 'string')) report('has a value that is no text')
    else theirs[field] = { ...theirs[field], ...written(name, values.map(textIn), report) }
  }
  return {
    subject: resources.map((word) => (word === ANY ? 'all' : nameFrom(word, at('resources')))),
    action: actions.map((word) => (word === ANY ? 'manage' : nameFrom(word, at('actions')))),
    ...(conditions.length > 0 && { conditions: theirs }),
    inverted: effect === 'deny',
  }
}

function written(name: keyof z.output<typeof operators>, values: readonly string[], report: Report): z.output<typeof operators> {
  const texts = values.map((text) => text.replace(/\{\{\s*identity\.name\s*\}\}/g, '{{identity.username}}'))
  if (name === '$in') return { $in: texts }
  const [text = ''] = texts
  return { [name]: name === '$glob' ? translated(globToInfisical(text), report) : text }
}

function translated({ glob, problem }: Translated, report: Report): string {
  if (problem !== undefined) report(problem)
  return glob ?? ''
}

/** `secretPath` as `secret_path`, so that there is a way back. */
function wordFrom(name: string, report: Report): string {
  if (!/^[a-z0-9.-][A-Za-z0-9.-]*$/.test(name)) report(`has the name ${JSON.stringify(name)}, which has no word here: letters, digits, . and -, the first no capital`)
  return name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}

function nameFrom(word: string, report: Report): string {
  if (/_(?![a-z])|^_/.test(word)) report(`has the word ${word}, which has no name in Infisical: its _ does not stand before a letter`)
  return word.replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase())
}
