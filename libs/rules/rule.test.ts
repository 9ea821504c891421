import { describe, expect, it } from 'vitest'
import type { Condition } from './condition.js'
import { checkRules, isWord, type Rule } from './rule.js'

const WORD = 'must be 1 to 64 characters of a-z, 0-9, . _ and -'

const rule = (given: Partial<Rule> = {}): Rule => ({ effect: 'allow', resources: ['secrets'], actions: ['read'], conditions: [], ...given })
const condition = (given: Partial<Condition> = {}): Condition => ({ attribute: 'path', operator: 'eq', values: ['/a'], ...given })
const SUBNET = 'must be an address or a range of them such as 10.0.0.0/8, with nothing set behind its prefix'
const PLACEHOLDER = 'has a placeholder that is none of {{identity.id}}, {{identity.name}}, {{identity.metadata.KEY}} and {{identity.auth.CLAIM}}'
const many = (count: number) => Array.from({ length: count }, (_, index) => `w${index}`)

/** Everything that is reported, as `FIELD PROBLEM`. */
function problemsOf(...rules: readonly Rule[]): string[] {
  const found: string[] = []
  checkRules(rules, (field) => (problem) => found.push(`${field} ${problem}`))
  return found
}

describe('rules in order', () => {
  it.each(
    [
      ['none', []],
      ['one', [rule()]],
      ['any', [rule({ effect: 'deny', resources: ['*'], actions: ['*'] })]],
      ['as many as there may be', Array.from({ length: 100 }, () => rule())],
      ['as many words', [rule({ resources: many(50), actions: many(50) })]],
      ['as many conditions', [rule({ conditions: Array.from({ length: 20 }, () => condition()) })]],
      ['as many values', [rule({ conditions: [condition({ operator: 'in', values: many(100) })] })]],
      ['an escaped \\ in front of a placeholder', [rule({ conditions: [condition({ operator: 'glob', values: ['\\\\{{identity.name}}'] })] })]],
      ['a \\ in front of a placeholder in what is no glob', [rule({ conditions: [condition({ values: ['\\{{identity.name}}'] })] })]],
      ['escaped braces', [rule({ conditions: [condition({ operator: 'glob', values: ['\\{\\{a\\}\\}'] })] })]],
      ['the longest value', [rule({ conditions: [condition({ values: ['x'.repeat(1_000)] })] })]],
      ['a glob', [rule({ conditions: [condition({ operator: 'glob', values: ['/a/**/{b,c}?'] })] })]],
      [
        'what would be no glob, compared as it is',
        [rule({ conditions: [condition({ values: ['{'] }), condition({ operator: 'in', values: ['}', '\\'] })] })],
      ],
    ] as const,
  )('have nothing reported: %s', (_what, rules) => {
    expect(problemsOf(...rules)).toEqual([])
  })
})

const wrongValues: readonly (readonly [string, Partial<Condition>, string])[] = [
  ['ne with two', { operator: 'ne', values: ['a', 'b'] }, 'values must be exactly one'],
  ['not_in without a value', { operator: 'not_in', values: [] }, 'values must be 1 to 100'],
  ['values of two types', { operator: 'in', values: ['a', 1] }, 'values must be of one type'],
  ['a number that is none', { values: [NaN] }, 'values[0] must be a finite number'],
  ['a number without end', { values: [Infinity] }, 'values[0] must be a finite number'],
  ['a time that is none', { values: [{ time: 'today' }] }, 'values[0] must be a time, in UTC and with milliseconds'],
  ['a time in another spelling', { values: [{ time: '2026-01-31T00:00:00Z' }] }, 'values[0] must be a time, in UTC and with milliseconds'],
  ['a glob that is no text', { operator: 'glob', values: [5] }, 'values[0] must be a text'],
  ['a negated glob that is none', { operator: 'not_glob', values: ['/a}'] }, 'values[0] has a } without a {, at character 3'],
  ['a range that is no text', { operator: 'cidr', values: [true] }, 'values[0] must be a text'],
  ['an address with a zone', { operator: 'cidr', values: ['fe80::1%eth0'] }, `values[0] ${SUBNET}`],
  ['an address in octal', { operator: 'cidr', values: ['010.0.0.1'] }, `values[0] ${SUBNET}`],
  ['a range with bits behind its prefix', { operator: 'cidr', values: ['10.0.0.1/8'] }, `values[0] ${SUBNET}`],
  ['a prefix that is too long', { operator: 'cidr', values: ['10.0.0.0/33'] }, `values[0] ${SUBNET}`],
  ['exists of something', { operator: 'exists', values: ['yes'] }, 'values[0] must be true or false'],
  ['a placeholder of nothing', { values: ['a/{{identity.secret}}'] }, `values[0] ${PLACEHOLDER}, at character 3`],
  ['a placeholder that does not end', { values: ['a/{{identity.id'] }, 'values[0] has a {{ without a }}, at character 3'],
  // Else a name of * would become \\*, which is a \ and any characters.
  ['an escaped placeholder', { operator: 'glob', values: ['/\\{{identity.name}}'] }, 'values[0] has a \\ in front of a placeholder, at character 2'],
  ['one behind an escaped \\', { operator: 'not_glob', values: ['\\\\\\{{identity.name}}'] }, 'values[0] has a \\ in front of a placeholder, at character 3'],
  ['a glob behind a placeholder', { operator: 'glob', values: ['/{{identity.name}}/}'] }, 'values[0] has a } without a {, at character 20'],
]

describe('each problem is reported at its place', () => {
  it.each(
    [
      ['too many rules', Array.from({ length: 101 }, () => rule()), ['rules must be at most 100']],
      ['no resources', [rule({ resources: [] })], ['rules[0].resources must not be empty']],
      ['no actions', [rule(), rule({ actions: [] })], ['rules[1].actions must not be empty']],
      ['too many resources', [rule({ resources: many(51) })], ['rules[0].resources must be at most 50']],
      ['too many actions', [rule({ actions: many(51) })], ['rules[0].actions must be at most 50']],
      [
        '* beside words',
        [rule({ resources: ['a', '*'], actions: ['*', '*'] })],
        ['rules[0].resources must be * alone, or words without it', 'rules[0].actions must be * alone, or words without it'],
      ],
      [
        'words that are none',
        [rule({ resources: ['a', 'A', ''], actions: ['re*'] })],
        [`rules[0].resources[1] ${WORD}, or *`, `rules[0].resources[2] ${WORD}, or *`, `rules[0].actions[0] ${WORD}, or *`],
      ],
      ['too many conditions', [rule({ conditions: Array.from({ length: 21 }, () => condition()) })], ['rules[0].conditions must be at most 20']],
      [
        'an attribute that is no word',
        [rule({ conditions: [condition(), condition({ attribute: '*' })] })],
        [`rules[0].conditions[1].attribute ${WORD}`],
      ],
      ['eq without a value', [rule({ conditions: [condition({ values: [] })] })], ['rules[0].conditions[0].values must be exactly one']],
      ['eq with two', [rule({ conditions: [condition({ values: ['a', 'b'] })] })], ['rules[0].conditions[0].values must be exactly one']],
      [
        'glob with two',
        [rule({ conditions: [condition({ operator: 'glob', values: ['a', 'b'] })] })],
        ['rules[0].conditions[0].values must be exactly one'],
      ],
      ['in without a value', [rule({ conditions: [condition({ operator: 'in', values: [] })] })], ['rules[0].conditions[0].values must be 1 to 100']],
      [
        'in with too many',
        [rule({ conditions: [condition({ operator: 'in', values: many(101) })] })],
        ['rules[0].conditions[0].values must be 1 to 100'],
      ],
      [
        'an empty value',
        [rule({ conditions: [condition({ operator: 'in', values: ['a', ''] })] })],
        ['rules[0].conditions[0].values[1] must be 1 to 1000 characters'],
      ],
      [
        'a value too long',
        [rule({ conditions: [condition({ values: ['x'.repeat(1_001)] })] })],
        ['rules[0].conditions[0].values[0] must be 1 to 1000 characters'],
      ],
      [
        'no glob',
        [rule({ conditions: [condition({ operator: 'glob', values: ['a{'] })] })],
        ['rules[0].conditions[0].values[0] has a { without a }, at character 2'],
      ],
      ...wrongValues.map(([what, given, problem]) => [what, [rule({ conditions: [condition(given)] })], [`rules[0].conditions[0].${problem}`]] as const),
    ] as const,
  )('%s', (_what, rules, problems) => {
    expect(problemsOf(...rules)).toEqual(problems)
  })

  it('all of them at once, over all rules', () => {
    const wrong = rule({ resources: [], actions: ['A'], conditions: [condition({ attribute: '', operator: 'glob', values: ['}'] })] })
    const each = (index: number) => [
      `rules[${index}].resources must not be empty`,
      `rules[${index}].actions[0] ${WORD}, or *`,
      `rules[${index}].conditions[0].attribute ${WORD}`,
      `rules[${index}].conditions[0].values[0] has a } without a {, at character 1`,
    ]
    expect(problemsOf(wrong, rule(), wrong)).toEqual([...each(0), ...each(2)])
  })
})

describe('a word', () => {
  it.each(['a', '0', 'secrets', 'auth-method', 'a.b_c-d', '.', 'x'.repeat(64)])('%s is one', (text) => {
    expect(isWord(text)).toBe(true)
  })

  it.each(['', '*', 'A', 'a b', ' a', 'a\n', 'a/b', 'a:b', '\u00e9', '\uff41', 'x'.repeat(65)])('%j is none', (text) => {
    expect(isWord(text)).toBe(false)
  })
})
