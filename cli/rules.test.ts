import { describe, expect, it } from 'vitest'
import { Effect, Operator } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { parseRules, parseShortRule, ruleText, writtenRule } from './rules.js'

describe('short form', () => {
  it.each([
    ['read,write on orders,invoices', ['read', 'write'], ['orders', 'invoices']],
    ['  delete   on * ', ['delete'], ['*']],
    ['read, write on orders , invoices', ['read', 'write'], ['orders', 'invoices']],
    ['on on on', ['on'], ['on']],
  ])('reads %j', (text, actions, resources) =>
    expect(parseShortRule('deny', text)).toEqual({ effect: Effect.DENY, actions, resources, conditions: [] }))

  it.each(['', 'read', 'read on', 'on orders', 'read orders', 'readonorders'])('refuses %j', (text) =>
    expect(() => parseShortRule('allow', text)).toThrow(/--allow .* is not a rule/))
})

describe('rule file', () => {
  it('allows where no effect is named and needs no conditions', () => {
    expect(parseRules('[{"resources":["orders"],"actions":["read"]}]', 'rules.json')).toEqual([
      { effect: Effect.ALLOW, resources: ['orders'], actions: ['read'], conditions: [] },
    ])
  })

  it('reads back what it writes', () => {
    const conditions = [{ attribute: 'path', operator: Operator.GLOB, values: ['/a/**'] }]
    const rule = { effect: Effect.DENY, resources: ['secrets'], actions: ['*'], conditions }
    expect(parseRules(JSON.stringify([writtenRule(rule)]), 'x')).toEqual([rule])
    expect(ruleText(rule)).toBe('deny * on secrets where path glob /a/**')
  })

  it.each([
    ['{', 'rules.json is not JSON'],
    ['{}', 'rules.json is not a list of rules: rules: '],
    ['[{"resources":["a"],"actions":["b"],"efect":"deny"}]', 'rules[0]: Unrecognized key: "efect"'],
    ['[{"resources":["a"],"actions":["b"],"conditions":[{"attribute":"p","operator":"like","values":[]}]}]', 'rules[0].conditions[0].operator: '],
  ])('refuses %s', (json, message) => expect(() => parseRules(json, 'rules.json')).toThrow(message))
})
