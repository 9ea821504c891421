import { createMongoAbility, subject as typed } from '@casl/ability'
import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import picomatch from 'picomatch'
import { describe, expect, it } from 'vitest'
import { RUNS } from '../../test/support/rule-arbitraries.js'
import { type Asked, compileRules } from './compile.js'
import type { Condition } from './condition.js'
import { compileGlob } from './glob.js'
import type { Rule } from './rule.js'
import type { Scalar, Value } from './value.js'

// Production against engines of others, on what is common to them: text attributes that are never missing, words and `*`, and
// deny over allow. CASL lets the last rule win, so denies come last there.

const env = fc.constantFrom('dev', 'test', 'prod')
const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}`)
const words = (...all: string[]) => fc.oneof(fc.subarray(all, { minLength: 1 }), fc.constant(['*']))

const equality: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(fc.constantFrom<Condition['operator'][]>('eq', 'ne'), env).map(([operator, value]) => ({ attribute: 'env', operator, values: [value] })),
  fc.tuple(fc.constantFrom<Condition['operator'][]>('in', 'not_in'), fc.uniqueArray(path, { minLength: 1, maxLength: 3 })).map(([operator, values]) => ({ attribute: 'path', operator, values })),
)

const prefix: fc.Arbitrary<Condition> = fc.tuple(fc.constantFrom<Condition['operator'][]>('glob', 'not_glob'), path).map(([operator, value]) => ({ attribute: 'path', operator, values: [`${value}**`] }))

const rulesWith = (condition: fc.Arbitrary<Condition>): fc.Arbitrary<Rule[]> =>
  fc.array(fc.record({ effect: fc.constantFrom('allow', 'allow', 'deny'), resources: words('secrets', 'orders'), actions: words('read', 'write'), conditions: fc.uniqueArray(condition, { maxLength: 2, selector: ({ attribute }) => attribute }) }), { maxLength: 6 })

const question: fc.Arbitrary<Asked> = fc
  .record({ action: fc.constantFrom('read', 'write'), resource: fc.constantFrom('secrets', 'orders'), env, path })
  .map(({ action, resource, ...attributes }) => ({ action, resource, attributes: new Map(Object.entries(attributes)), subject: { id: 'i', name: 'n', metadata: new Map(), auth: new Map() } }))

function isAllowed(rules: readonly Rule[], asked: Asked): boolean {
  const compiled = compileRules(rules)
  return compiled.first('deny', asked) === undefined && compiled.first('allow', asked) !== undefined
}

/** That both answers come up often, so that nothing is proven by silence. */
function agree(rules: fc.Arbitrary<Rule[]>, peer: (rules: readonly Rule[], asked: Asked) => boolean, numRuns = RUNS): void {
  const seen = { true: 0, false: 0 }
  fc.assert(
    fc.property(rules, question, (all, asked) => {
      const ours = isAllowed(all, asked)
      seen[`${ours}`] += 1
      expect(peer(all, asked)).toBe(ours)
    }),
    { numRuns },
  )
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(numRuns / 10)
}

const CASL_OPERATORS: Partial<Record<Condition['operator'], string>> = { eq: '$eq', ne: '$ne', in: '$in', not_in: '$nin' }

const caslCondition = ({ attribute, operator, values }: Condition) =>
  [attribute, { [CASL_OPERATORS[operator] ?? '']: operator === 'eq' || operator === 'ne' ? values[0] : values }] as const

function casl(rules: readonly Rule[], { action, resource, attributes }: Asked): boolean {
  const written = rules.map(({ effect, resources, actions, conditions }) => ({
    action: actions.includes('*') ? 'manage' : [...actions],
    subject: resources.includes('*') ? 'all' : [...resources],
    inverted: effect === 'deny',
    ...(conditions.length > 0 && { conditions: Object.fromEntries(conditions.map(caslCondition)) }),
  }))
  const ability = createMongoAbility([...written.filter(({ inverted }) => !inverted), ...written.filter(({ inverted }) => inverted)])
  return ability.can(action, typed(resource, Object.fromEntries(attributes)))
}

const textOf = (value: Value | undefined): string => (typeof value === 'string' ? value : '')

const text = (value: Scalar | undefined): string => JSON.stringify(value)

function cedarCondition({ attribute, operator, values }: Condition): string {
  const [value] = values
  switch (operator) {
    case 'eq':
      return `context.${attribute} == ${text(value)}`
    case 'ne':
      return `context.${attribute} != ${text(value)}`
    case 'in':
      return `[${values.map(text).join(',')}].contains(context.${attribute})`
    case 'not_in':
      return `!([${values.map(text).join(',')}].contains(context.${attribute}))`
    case 'glob':
      return `context.${attribute} like ${text(value).replace('**', '*')}`
    case 'not_glob':
      return `!(context.${attribute} like ${text(value).replace('**', '*')})`
    case 'cidr':
    case 'exists':
      throw new Error('not common to both')
  }
}

function cedarPolicy({ effect, resources, actions, conditions }: Rule): string {
  const action = actions.includes('*') ? 'action' : `action in [${actions.map((one) => `Action::"${one}"`).join(',')}]`
  const types = resources.includes('*') ? [] : [`(${resources.map((one) => `resource == Resource::"${one}"`).join(' || ')})`]
  const when = [...types, ...conditions.map(cedarCondition)]
  return `${effect === 'allow' ? 'permit' : 'forbid'}(principal, ${action}, resource)${when.length > 0 ? ` when { ${when.join(' && ')} }` : ''};`
}

function cedar(rules: readonly Rule[], { action, resource, attributes }: Asked): boolean {
  const answer = isAuthorized({
    principal: { type: 'Identity', id: 'i' },
    action: { type: 'Action', id: action },
    resource: { type: 'Resource', id: resource },
    context: { env: textOf(attributes.get('env')), path: textOf(attributes.get('path')) },
    policies: { staticPolicies: rules.map(cedarPolicy).join('\n') },
    entities: [],
  })
  if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0) throw new Error(JSON.stringify(answer))
  return answer.response.decision === 'allow'
}

describe('on what is common to both', () => {
  it('rules decide as those of CASL do', () => agree(rulesWith(equality), casl))

  it('rules decide as policies of Cedar do', { timeout: 60_000 }, () => agree(rulesWith(fc.oneof(equality, prefix)), cedar))

  // Within it a segment is never empty, and `**` stands last, for one segment at least.
  it('globs match as those of picomatch do', () => {
    const part = fc.array(fc.constantFrom('a', 'b', 'ab', '*', '?', '{a,b}', '{ab,b}'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('').replace(/\*+/g, '*'))
    const pattern = fc.tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([parts, deep]) => `/${parts.join('/')}${deep ? '/**' : ''}`)
    const asked = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba', 'aab', 'abb'), { minLength: 1, maxLength: 5 }).map((segments) => `/${segments.join('/')}`)
    const seen = { true: 0, false: 0 }
    fc.assert(
      fc.property(pattern, asked, (glob, candidate) => {
        if (glob.endsWith('/**') && candidate.split('/').length < glob.split('/').length) return
        const ours = compileGlob(glob).matches(candidate)
        seen[`${ours}`] += 1
        expect(picomatch.isMatch(candidate, glob, { noextglob: true, nonegate: true, dot: true })).toBe(ours)
      }),
      { numRuns: RUNS },
    )
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(RUNS / 20)
  })
})
