import { describe, expect, it } from 'vitest'
import { credentialText, displayName, id, integer, optionalEtag, optionalId, optionalName, optionalTime, roleName, text } from './fields.js'
import type { Report } from './domain-error.js'

const ID = '01901234-5678-7abc-8def-0123456789ab'

/** How many problems a check reports; it must give the value back all the same, so that others can be looked at. */
function problemsWith<T>(check: (value: T, report: Report) => unknown, value: T): number {
  const problems: string[] = []
  check(value, (problem) => problems.push(problem))
  for (const problem of problems) expect(problem).toMatch(/^must /)
  return problems.length
}

const long = (length: number) => 'a'.repeat(length)

describe('fields of text', () => {
  it.each(
    [
      ['id', id, [ID], ['', ID.toUpperCase(), `${ID} `, ID.slice(1), 'x']],
      ['optionalId', optionalId, ['', ID], [ID.toUpperCase(), ' ', 'x']],
      ['optionalEtag', optionalEtag, ['', ID], ['W/"1"', ' ']],
      [
        'displayName',
        displayName,
        ['a', 'Z', '0', '-', 'billing', 'Billing API 2', 'a.b_c-d/e', 'a  b', '/ci/build', long(64)],
        ['', ' ', ' a', 'a ', long(65), 'a\nb', 'a\n', 'caf\u00e9', 'a\tb', 'a:b', 'a*', '\u0430', 'a\u0000', '\u{1f600}', '/a/../b', '//a', '/a/', '/./a'],
      ],
      ['optionalName', optionalName, ['', 'billing'], [' ', 'a\n', long(65)]],
      ['roleName', roleName, ['a', 'no-access', 'a1', 'a-', long(64)], ['', '1a', '-a', 'A', 'aB', 'a b', 'a_b', 'a.b', 'a\n', long(65)]],
      ['credentialText', credentialText, ['x', long(4096)], ['', long(4097)]],
    ] as const,
  )('%s takes what it should and refuses the rest with one problem', (_name, check, right, wrong) => {
    for (const value of right) expect([value, problemsWith<string>(check, value)]).toEqual([value, 0])
    for (const value of wrong) expect([value, problemsWith<string>(check, value)]).toEqual([value, 1])
  })

  it.each(
    [
      ['', 0],
      [long(10), 0],
      [long(11), 1],
      ['a\nb\r\n\tc', 0],
      ['caf\u00e9 \u{1f600}', 0],
      ['\u0000', 1],
      ['a\u0007', 1],
      ['\u001b[31m', 1],
      ['\u007f', 1],
      ['\u000b', 1],
      ['\u000c', 1],
      [`${long(11)}\u0000`, 2],
    ] as const,
  )('text of at most 10 characters: %j has %i problems', (value, problems) => {
    expect(problemsWith((one: string, report) => text(one, 10, report), value)).toBe(problems)
  })
})

describe('fields of numbers and times', () => {
  it.each([[1, 0], [5, 0], [10, 0], [0, 1], [11, 1], [2.5, 1], [NaN, 1], [Infinity, 1], [-1, 1]] as const)(
    'an integer from 1 to 10: %d has %i problems',
    (value, problems) => {
      expect(problemsWith((one: number, report) => integer(one, { min: 1, max: 10 }, report), value)).toBe(problems)
    },
  )

  it.each([
    [undefined, 0],
    [new Date(0), 0],
    [new Date(Date.UTC(9999, 11, 31, 23, 59, 59, 999)), 0],
    [new Date(-1), 1],
    [new Date(Date.UTC(10_000, 0, 1)), 1],
    [new Date(NaN), 1],
  ])('a time: %s has %i problems', (value, problems) => {
    expect(problemsWith(optionalTime, value)).toBe(problems)
  })
})

describe('a field', () => {
  const nothing = () => undefined

  it('that is empty is undefined where it may be left out', () => {
    expect([optionalId('', nothing), optionalEtag('', nothing), optionalTime(undefined, nothing), optionalName('', nothing)]).toEqual([
      undefined,
      undefined,
      undefined,
      '',
    ])
  })

  it('is given back as it came, right or wrong', () => {
    expect([
      id('x', nothing),
      displayName(' a ', nothing),
      roleName('A', nothing),
      text('\u0000', 0, nothing),
      integer(2.5, { min: 0, max: 1 }, nothing),
    ]).toEqual(
      ['x', ' a ', 'A', '\u0000', 2.5],
    )
  })
})
