import { describe, expect, it } from 'vitest'
import { compileRules } from './compile.js'
import type { Condition } from './condition.js'
import type { Rule } from './rule.js'

const rule = (given: Partial<Rule>): Rule => ({ effect: 'allow', resources: ['secrets'], actions: ['read'], conditions: [], ...given })
const subject = { id: 'i', name: 'n', metadata: new Map<string, string>(), auth: new Map<string, string>() }
const about = (resource: string, action: string, attributes: Readonly<Record<string, string>> = {}) => ({
  resource,
  action,
  attributes: new Map(Object.entries(attributes)),
  subject,
})
const matches = (given: Partial<Rule>, asked: ReturnType<typeof about>) => compileRules([rule(given)]).first(given.effect ?? 'allow', asked) === 0

describe('a rule speaks of an action on a resource', () => {
  it.each(
    [
      [['secrets'], ['read'], 'secrets', 'read', true],
      [['secrets'], ['read'], 'secrets', 'write', false],
      [['secrets'], ['read'], 'orders', 'read', false],
      [['secrets', 'orders'], ['read', 'list'], 'orders', 'list', true],
      [['secrets', 'orders'], ['read', 'list'], 'orders', 'write', false],
      [['*'], ['read'], 'anything', 'read', true],
      [['*'], ['read'], 'anything', 'write', false],
      [['secrets'], ['*'], 'secrets', 'anything', true],
      [['secrets'], ['*'], 'orders', 'anything', false],
      [['*'], ['*'], 'anything', 'anything', true],
      [[], ['read'], 'secrets', 'read', false],
      [['secrets'], [], 'secrets', 'read', false],
      // Words are compared as they are: no part, no case, no glob.
      [['secrets'], ['read'], 'secret', 'read', false],
      [['secrets'], ['read'], 'secrets.', 'read', false],
      [['secrets'], ['read'], 'Secrets', 'read', false],
      [['secret*'], ['read'], 'secrets', 'read', false],
      [['secrets'], ['read'], '*', 'read', false],
      [['secrets'], ['read'], 'secrets', '*', false],
      [['constructor'], ['read'], 'constructor', 'read', true],
      [['secrets'], ['read'], '__proto__', 'read', false],
    ] as const,
  )('resources %j, actions %j, asked about %s %s: %s', (resources, actions, resource, action, expected) => {
    for (const effect of ['allow', 'deny'] as const) expect(matches({ effect, resources, actions }, about(resource, action))).toBe(expected)
  })
})

const PATH: Condition = { attribute: 'path', operator: 'glob', values: ['/a/**'] }
const STAGE: Condition = { attribute: 'stage', operator: 'in', values: ['dev', 'test'] }
const OWNER: Condition = { attribute: 'owner', operator: 'eq', values: ['ann'] }

describe('the conditions of a rule', () => {
  it.each(
    [
      ['eq', OWNER, 'ann', true],
      ['eq', OWNER, 'Ann', false],
      ['eq', OWNER, 'ann ', false],
      ['eq', OWNER, '', false],
      ['eq is no glob', { ...OWNER, values: ['*'] }, 'ann', false],
      ['in', STAGE, 'dev', true],
      ['in', STAGE, 'test', true],
      ['in', STAGE, 'prod', false],
      ['in is no glob', { ...STAGE, values: ['*', 'de?'] }, 'dev', false],
      ['glob', PATH, '/a/b', true],
      ['glob', PATH, '/a', false],
      ['a glob that matches nothing but the empty value', { ...PATH, values: ['{}'] }, '', true],
    ] as const,
  )('%s: %j on %j: %s, for allow and deny', (_operator, condition, value, expected) => {
    for (const effect of ['allow', 'deny'] as const) {
      expect(matches({ effect, conditions: [condition] }, about('secrets', 'read', { [condition.attribute]: value }))).toBe(expected)
    }
  })

  // Missing attributes must never widen what is allowed, nor narrow what is denied. Seen to fail with `undecided` swapped.
  const states = { holds: '/a/b', fails: '/b', missing: undefined } as const
  const others = { holds: 'dev', fails: 'prod', missing: undefined } as const
  it.each(
    [
      ['allow', 'holds', 'holds', true],
      ['allow', 'holds', 'fails', false],
      ['allow', 'holds', 'missing', false],
      ['allow', 'fails', 'fails', false],
      ['allow', 'fails', 'missing', false],
      ['allow', 'missing', 'missing', false],
      ['deny', 'holds', 'holds', true],
      ['deny', 'holds', 'fails', false],
      ['deny', 'holds', 'missing', true],
      ['deny', 'fails', 'fails', false],
      ['deny', 'fails', 'missing', false],
      ['deny', 'missing', 'missing', true],
    ] as const,
  )('all have to hold: %s, one %s, the other %s: %s', (effect, one, other, expected) => {
    const [path, stage] = [states[one], others[other]]
    const asked = about('secrets', 'read', { ...(path !== undefined && { path }), ...(stage !== undefined && { stage }) })
    expect(matches({ effect, conditions: [PATH, STAGE] }, asked)).toBe(expected)
    expect(matches({ effect, conditions: [STAGE, PATH] }, asked)).toBe(expected)
  })

  it('do not matter for what the rule does not speak of', () => {
    expect(matches({ effect: 'deny', conditions: [PATH] }, about('secrets', 'write'))).toBe(false)
    expect(matches({ effect: 'deny', conditions: [PATH] }, about('orders', 'read'))).toBe(false)
  })

  it('are asked about attributes by their whole name', () => {
    expect(matches({ conditions: [OWNER] }, about('secrets', 'read', { own: 'ann', owners: 'ann', Owner: 'ann' }))).toBe(false)
    expect(matches({ conditions: [{ ...OWNER, attribute: 'constructor' }] }, about('secrets', 'read'))).toBe(false)
  })

  it('ignore attributes that no condition names', () => {
    expect(matches({ conditions: [OWNER] }, about('secrets', 'read', { owner: 'ann', other: 'x' }))).toBe(true)
  })
})

describe('the rules of a role', () => {
  const asked = about('secrets', 'read')

  it('are asked by effect, and the first that matches is named by its place, from 0', () => {
    const compiled = compileRules([rule({ actions: ['write'] }), rule({ effect: 'deny' }), rule({}), rule({}), rule({ effect: 'deny', resources: ['*'] })])
    expect([compiled.first('allow', asked), compiled.first('deny', asked)]).toEqual([2, 1])
  })

  it('are none where the role has none', () => {
    const compiled = compileRules([])
    expect([compiled.first('allow', asked), compiled.first('deny', asked)]).toEqual([undefined, undefined])
  })
})
