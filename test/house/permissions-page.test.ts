import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { DomainError, Violations } from '#libs/domain-error.js'
import { attributeFrom } from '#libs/rpc/rule-message.js'
import { compileRules } from '#libs/rules/compile.js'
import { ruleJson } from '#libs/rules/json.js'
import { checkRules, type Rule } from '#libs/rules/rule.js'
import { parseAttributes } from '../../cli/attributes.js'
import { type HeldRule, missingRules, NOTHING } from '../../services/identity-registry/domain/escalation.js'
import { checkMatter, CONTEXT } from '../../services/authorization-check/domain/question.js'

// Every example of docs/permissions.md: rules in a block of JSON, and tables of what is asked, as on the command line, and
// what the answer is, by the rules above.

const page = readFileSync(join(import.meta.dirname, '../../docs/permissions.md'), 'utf8')

type Example = { readonly rules: readonly Rule[]; readonly asked: string; readonly answer: string }

function examplesIn(text: string): Example[] {
  const examples: Example[] = []
  let rules: readonly Rule[] = []
  for (const [, json, asked, answer] of text.matchAll(/```json\n([\s\S]*?)```|^\| `([^`]+)` \| (allowed|denied|no rule|refused) \|$/gm)) {
    if (json !== undefined) rules = z.array(ruleJson).parse(JSON.parse(json))
    else if (asked !== undefined && answer !== undefined) examples.push({ rules, asked, answer })
  }
  return examples
}

type Gift = { readonly held: readonly Rule[]; readonly given: string; readonly answer: string }

/** The rules that a giver holds, and a table of what may be given. */
function giftsIn(text: string): Gift[] {
  const [, json = '[]', table = ''] = /```json held\n([\s\S]*?)```([\s\S]*?)\n## /.exec(text) ?? []
  const held = z.array(ruleJson).parse(JSON.parse(json))
  return [...table.matchAll(/^\| `([^`]+)` \| ([a-z ]+) \|$/gm)].map(([, given = '', answer = '']) => ({ held, given, answer }))
}

const forEver = (rule: Rule): HeldRule => ({ role: 'clerk', rule, startTime: null, endTime: null })

const ANSWERS = { 'not-held': 'not held', 'not-for-so-long': 'not for so long', denied: 'denied to them' } as const

function judged({ held, given }: Gift): string {
  const after = { held: [forEver(ruleJson.parse(JSON.parse(given)))], besides: [] }
  const [missing] = missingRules({ granter: held.map(forEver), before: NOTHING, after, renamed: false, now: new Date() })
  return missing === undefined ? 'given' : ANSWERS[missing.obstacle]
}

const NOBODY = '01900000-0000-7000-8000-000000000000'

function answerTo(rules: readonly Rule[], text: string): string {
  const [action = '', resource = '', ...written] = text.split(' ')
  const wrong = new Violations()
  const given = Object.entries(parseAttributes('--attribute', written)).map(([name, value]) => [name, attributeFrom(value, wrong.at(name))] as const)
  const [attributes, context] = [new Map(given.filter(([name]) => !name.startsWith(CONTEXT))), new Map(given.filter(([name]) => name.startsWith(CONTEXT)).map(([name, value]) => [name.slice(CONTEXT.length), value] as const))]
  const question = checkMatter({ projectId: '', action, resource, attributes, context }, wrong)
  try {
    wrong.refuse()
  } catch (error) {
    if (error instanceof DomainError) return 'refused'
    throw error
  }
  const asked = { ...question, subject: { id: NOBODY, name: 'billing', metadata: new Map<string, string>(), auth: new Map<string, string>() } }
  const compiled = compileRules(rules)
  if (compiled.first('deny', asked) !== undefined) return 'denied'
  return compiled.first('allow', asked) === undefined ? 'no rule' : 'allowed'
}

describe('docs/permissions.md', () => {
  const examples = examplesIn(page)

  it('has examples of rules that a role may have', () => {
    expect(examples.length).toBeGreaterThan(35)
    for (const { rules } of examples) checkRules(rules, (field) => (problem) => expect.fail(`${field} ${problem}`))
  })

  const gifts = giftsIn(page)

  it('has examples of what may be given', () => expect(gifts.length).toBeGreaterThan(6))

  it.each(gifts)('$given: $answer', (gift) => expect(judged(gift)).toBe(gift.answer))

  it.each(examples)('$asked: $answer', ({ rules, asked, answer }) => expect(answerTo(rules, asked)).toBe(answer))
})
