import { describe, expect, it } from 'vitest'
import { toRuleMessage } from '#libs/rpc/rule-message.js'
import type { Rule } from '#libs/rules/rule.js'
import { ruleText } from '#libs/rules/text.js'
import { parseRules, parseShortRule, writtenRules } from './rules.js'

describe('short form', () => {
  it.each([
    ['read,write on orders,invoices', ['read', 'write'], ['orders', 'invoices']],
    ['  delete   on * ', ['delete'], ['*']],
    ['read, write on orders , invoices', ['read', 'write'], ['orders', 'invoices']],
    ['on on on', ['on'], ['on']],
  ])('reads %j', (text, actions, resources) =>
    expect(parseShortRule('deny', text)).toEqual({ effect: 'deny', actions, resources, conditions: [] }))

  it.each(['', 'read', 'read on', 'on orders', 'read orders', 'readonorders'])('refuses %j', (text) =>
    expect(() => parseShortRule('allow', text)).toThrow(/--allow .* is not a rule/))
})

describe('rule file', () => {
  it('allows where no effect is named and needs no conditions', () => {
    expect(parseRules('[{"resources":["orders"],"actions":["read"]}]', 'rules.json')).toEqual([
      { effect: 'allow', resources: ['orders'], actions: ['read'], conditions: [] },
    ])
  })

  it('reads back what it writes', () => {
    const conditions: Rule['conditions'] = [
      { attribute: 'path', operator: 'glob', values: ['/a/**'] },
      { attribute: 'level', operator: 'not_in', values: [1, 2] },
      { attribute: 'until', operator: 'ne', values: [{ time: '2026-01-31T00:00:00.000Z' }] },
      { attribute: 'owner', operator: 'exists', values: [true] },
    ]
    const rule: Rule = { effect: 'deny', resources: ['secrets'], actions: ['*'], conditions }
    expect(parseRules(JSON.stringify(writtenRules([toRuleMessage(rule)])), 'x')).toEqual([rule])
    expect(ruleText(rule)).toBe('deny * on secrets where path glob /a/** and level not_in 1,2 and until ne 2026-01-31T00:00:00.000Z and owner exists true')
  })

  it('takes a time in any spelling of RFC 3339', () => {
    const written = '[{"resources":["a"],"actions":["b"],"conditions":[{"attribute":"t","operator":"eq","values":[{"time":"2026-01-31T01:00:00+01:00"}]}]}]'
    expect(parseRules(written, 'x')[0]?.conditions[0]?.values).toEqual([{ time: '2026-01-31T00:00:00.000Z' }])
  })

  it.each([
    ['{', 'rules.json is not JSON'],
    ['{}', 'rules.json is not a list of rules: rules: '],
    ['[{"resources":["a"],"actions":["b"],"efect":"deny"}]', 'rules[0]: Unrecognized key: "efect"'],
    ['[{"resources":["a"],"actions":["b"],"conditions":[{"attribute":"p","operator":"like","values":[]}]}]', 'rules[0].conditions[0].operator: '],
  ])('refuses %s', (json, message) => expect(() => parseRules(json, 'rules.json')).toThrow(message))
})
