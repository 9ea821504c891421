import { createMongoAbility, subject as typed } from '@casl/ability'
import fc from 'fast-check'
import picomatch from 'picomatch'
import { describe, expect, it } from 'vitest'
import { RUNS } from '../../test/support/rule-arbitraries.js'
import { compileRules } from './compile.js'
import { compileGlob } from './glob.js'
import { globFromInfisical, globToInfisical } from './infisical-glob.js'
import { type InfisicalRule, infisicalRule, ruleFromInfisical, ruleToInfisical } from './infisical.js'
import type { Condition } from './condition.js'
import { checkRules, type Rule } from './rule.js'

const clean = (field: string) => (problem: string) => expect.unreachable(`${field} ${problem}`)

function problemsOf(work: (at: (field: string) => (problem: string) => void) => unknown): string[] {
  const problems: string[] = []
  work((field) => (problem) => problems.push(`${field} ${problem}`))
  return problems
}

const theirs = (given: object): InfisicalRule => infisicalRule.parse(given)

describe('a rule of Infisical', () => {
  it('is a rule of ours', () => {
    const rule = theirs({
      subject: 'secrets',
      action: ['read', 'describeSecret'],
      inverted: true,
      conditions: { environment: 'prod', secretPath: { $glob: '/app/**', $ne: '/app/{{identity.username}}' }, secretName: { $in: ['A', 'B'] } },
    })
    expect(ruleFromInfisical(rule, clean)).toEqual({
      effect: 'deny',
      resources: ['secrets'],
      actions: ['read', 'describe_secret'],
      conditions: [
        { attribute: 'environment', operator: 'eq', values: ['prod'] },
        { attribute: 'secret_path', operator: 'ne', values: ['/app/{{identity.name}}'] },
        { attribute: 'secret_path', operator: 'glob', values: ['/app{,/**}'] },
        { attribute: 'secret_name', operator: 'in', values: ['A', 'B'] },
      ],
    })
  })

  it('of everything is one of ours', () => {
    expect(ruleFromInfisical(theirs({ subject: 'all', action: 'manage' }), clean)).toEqual({ effect: 'allow', resources: ['*'], actions: ['*'], conditions: [] })
  })

  it.each([
    [{ subject: 'secrets', action: 'read', conditions: { path: { $glob: '!(a)' } } }, 'conditions.path.$glob is negated'],
    [{ subject: 'secrets', action: 'read', conditions: { path: { $glob: '/+(a|b)' } } }, 'conditions.path.$glob has an extended glob'],
    [{ subject: 'secrets', action: 'read', conditions: { path: { $glob: '/[ab]' } } }, 'conditions.path.$glob has a ['],
    [{ subject: 'secrets', action: 'read', conditions: { path: { $glob: '/{1..3}' } } }, 'conditions.path.$glob has a { } without a comma'],
    [{ subject: 'secrets', action: 'read', conditions: { path: { $glob: '/{1..3,a}' } } }, 'conditions.path.$glob has a range'],
    [{ subject: 'secrets', action: 'read', conditions: { path: { $glob: '/a**' } } }, 'conditions.path.$glob has a ** that is not a segment'],
    [{ subject: 'user_files', action: 'read' }, 'subject has the name "user_files"'],
  ])('%j says what ours can not: %s', (given, problem) => {
    const problems = problemsOf((at) => ruleFromInfisical(theirs(given), at))
    expect(problems).toHaveLength(1)
    expect(problems[0]?.startsWith(problem)).toBe(true)
  })

  it.each([
    [{ subject: 'secrets', action: 'read', conditions: { tags: { $elemMatch: { key: 'a' } } } }],
    [{ subject: 'secrets', action: 'read', conditions: { tags: { $in: [] } } }],
    [{ subject: [], action: 'read' }],
    [{ subject: 'secrets' }],
    [{ subject: 'secrets', action: 'read', forbidden: true }],
  ])('%j is none', (given) => expect(infisicalRule.safeParse(given).success).toBe(false))
})

describe('a rule of ours', () => {
  const rule = (...conditions: Condition[]): Rule => ({ effect: 'allow', resources: ['secrets'], actions: ['read'], conditions })

  it.each<[Rule, string]>([
    [rule({ attribute: 'ip', operator: 'cidr', values: ['10.0.0.0/8'] }), 'conditions[0] has the operator cidr'],
    [rule({ attribute: 'a', operator: 'not_in', values: ['x'] }), 'conditions[0] has the operator not_in'],
    [rule({ attribute: 'a', operator: 'eq', values: [1] }), 'conditions[0] has a value that is no text'],
    [rule({ attribute: 'a', operator: 'eq', values: ['x'] }, { attribute: 'a', operator: 'eq', values: ['y'] }), 'conditions[1] is the second with eq about a'],
    [rule({ attribute: 'a', operator: 'glob', values: ['/a**b'] }), 'conditions[0] has a **'],
    [rule({ attribute: 'a_1', operator: 'eq', values: ['x'] }), 'conditions[0] has the word a_1'],
  ])('%j says what Infisical’s can not: %s', (given, problem) => {
    const problems = problemsOf((at) => ruleToInfisical(given, at))
    expect(problems).toHaveLength(1)
    expect(problems[0]?.startsWith(problem)).toBe(true)
  })
})

const segment = fc.constantFrom('a', 'b', 'ab', 'x+y', 'c')
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
const part = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '?', '{a,b}', '{a,b*}', 'x\\+y', 'c')

/** Patterns that both can say, as they write them. */
const theirGlob = fc.oneof(
  fc.array(fc.oneof({ weight: 4, arbitrary: part }, { weight: 1, arbitrary: fc.constant('**') }), { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.filter((one, place) => one !== '**' || parts[place - 1] !== '**').join('/')}`),
  fc.constantFrom('**', '/**', '**/a'),
)
const ourGlob = fc.oneof(
  fc.tuple(fc.array(fc.oneof(part, fc.constantFrom('x+y', '(', '[a]', '@a', '!')), { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/**', '{,/**}')).map(([parts, rest]) => `/${parts.join('/')}${rest}`),
  fc.tuple(part, part).map(([one, other]) => `/${one}/{,**/}${other}`),
)
const textPath = fc.oneof(path, fc.array(fc.constantFrom('a', 'x+y', '(', '[a]', '@a', '!'), { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`))

// Their options, and theirs alone: dots that begin a segment are told apart in docs/permissions.md.
const isMatch = (pattern: string, text: string): boolean => picomatch.isMatch(text, pattern, { strictSlashes: false })

describe('globs', () => {
  it.each([
    ['/a/**', '/a{,/**}'],
    ['/a/**/b', '/a/{,**/}b'],
    ['**/b', '{,**/}b'],
    ['/**', '/**'],
    ['/{a,b}/*', '/{a,b}/*'],
  ])('%s is %s here', (pattern, ours) => expect(globFromInfisical(pattern)).toEqual({ glob: ours }))

  it('of theirs match here what they match there', () => {
    const seen = { true: 0, false: 0 }
    fc.assert(
      fc.property(theirGlob, path, (pattern, text) => {
        const { glob = '' } = globFromInfisical(pattern)
        seen[`${isMatch(pattern, text)}`] += 1
        expect(compileGlob(glob).matches(text)).toBe(isMatch(pattern, text))
      }),
      { numRuns: RUNS },
    )
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(RUNS / 20)
  })

  it('of ours match there what they match here', () => {
    const seen = { true: 0, false: 0 }
    fc.assert(
      fc.property(ourGlob, textPath, (pattern, text) => {
        const { glob } = globToInfisical(pattern)
        if (glob === undefined) return
        const matches = compileGlob(pattern).matches(text)
        seen[`${matches}`] += 1
        expect(isMatch(glob, text)).toBe(matches)
      }),
      { numRuns: RUNS },
    )
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(RUNS / 50)
  })
})

const field = fc.constantFrom('environment', 'secretPath', 'secretName')
const value = fc.constantFrom('dev', 'prod', '/a', '/a/b')
const wanted = fc.oneof(
  value,
  value.map(($eq) => ({ $eq })),
  value.map(($ne) => ({ $ne })),
  fc.uniqueArray(value, { minLength: 1 }).map(($in) => ({ $in })),
  fc.constantFrom('/a/**', '/*', '**', 'pro?').map(($glob) => ({ $glob })),
)
const theirRule: fc.Arbitrary<InfisicalRule> = fc.record({
  subject: fc.constantFrom<(string | string[])[]>('secrets', 'all', 'secretFolders', ['secrets', 'secretFolders']),
  action: fc.constantFrom<(string | string[])[]>('read', 'manage', 'readValue', ['read', 'readValue']),
  conditions: fc.dictionary(field, wanted, { maxKeys: 3, noNullPrototype: true }),
  inverted: fc.boolean(),
})

/** As their server judges: CASL with $glob by picomatch, rules that are inverted last. */
const judge = (conditions: unknown) => (object: object) =>
  Object.entries(infisicalRule.shape.conditions.parse(conditions) ?? {}).every(([name, condition]) => {
    const given: unknown = Reflect.get(object, name)
    const text = typeof given === 'string' ? given : ''
    const { $eq, $ne, $in, $glob } = typeof condition === 'string' ? { $eq: condition, $ne: undefined, $in: undefined, $glob: undefined } : condition
    return ($eq === undefined || text === $eq) && ($ne === undefined || text !== $ne) && ($in?.includes(text) ?? true) && ($glob === undefined || isMatch($glob, text))
  })

const camel = (word: string): string => word.replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase())

it('rules of theirs decide here as there, wherever nothing is missing, and come back as they went', () => {
  const seen = { true: 0, false: 0 }
  const question = fc.record({ action: fc.constantFrom('read', 'read_value'), resource: fc.constantFrom('secrets', 'secret_folders'), environment: value, secret_path: value, secret_name: value })
  fc.assert(
    fc.property(fc.array(theirRule, { maxLength: 5 }), question, (rules, { action, resource, ...attributes }) => {
      const ours = rules.map((rule) => ruleFromInfisical(rule, clean))
      checkRules(ours, clean)
      const subject = { id: 'i', name: 'n', metadata: new Map<string, string>(), auth: new Map<string, string>() }
      const decide = (all: readonly Rule[]) => {
        const compiled = compileRules(all)
        const asked = { action, resource, attributes: new Map(Object.entries(attributes)), subject }
        return compiled.first('deny', asked) === undefined && compiled.first('allow', asked) !== undefined
      }
      const written = rules.map(({ conditions = {}, ...rule }) => ({ ...rule, ...(Object.keys(conditions).length > 0 && { conditions }) }))
      const ability = createMongoAbility([...written.filter(({ inverted }) => !inverted), ...written.filter(({ inverted }) => inverted)], { conditionsMatcher: judge })
      const object = typed(camel(resource), Object.fromEntries(Object.entries(attributes).map(([name, text]) => [camel(name), text])))
      const allowed = decide(ours)
      seen[`${allowed}`] += 1
      expect(allowed).toBe(ability.can(camel(action), object))
      expect(decide(ours.map((rule) => ruleFromInfisical(ruleToInfisical(rule, clean), clean)))).toBe(allowed)
    }),
    { numRuns: RUNS },
  )
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(RUNS / 20)
})
