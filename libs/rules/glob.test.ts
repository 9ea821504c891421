import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceMatches } from '../../test/support/reference-glob.js'
import { compileGlob, globProblem } from './glob.js'

const matches = (pattern: string, text: string) => compileGlob(pattern).matches(text)

describe('a glob', () => {
  it.each(
    [
      ['plain text is itself', 'a/b', ['a/b'], ['a', 'a/b/', '/a/b', 'a/bc', 'A/B', '']],
      ['nothing matches nothing', '', [''], ['a', '/']],
      ['* is any characters of one segment', '*', ['', 'a', 'abc', 'a b\n'], ['/', 'a/', '/a', 'a/b']],
      ['* between others', 'a*c', ['ac', 'abc', 'abbbc', 'acc'], ['a', 'c', 'ab', 'a/c', 'acd', 'bac']],
      ['* in a path', '/a/*/c', ['/a/b/c', '/a//c'], ['/a/c', '/a/b/b/c', '/a/b/c/', '/a/b']],
      ['*.js', '*.js', ['.js', 'x.js', 'x.y.js'], ['x.jsx', 'a/x.js', 'xjs']],
      ['** is any characters', '**', ['', 'a', '/', 'a/b/c', '//'], []],
      ['** below a folder', '/a/**', ['/a/', '/a/b', '/a/b/c'], ['/a', '/ab', '/b/a/', 'x/a/b']],
      ['** in the middle', '/a/**/c', ['/a//c', '/a/b/c', '/a/b/b/c'], ['/a/c', '/a/b', '/a/b/cc']],
      ['** within a segment', 'a**c', ['ac', 'abc', 'a/b/c'], ['a', 'ab/d']],
      ['*** is no more than **', '***', ['', 'a', 'a/b'], []],
      ['? is one character that is no /', 'a?c', ['abc', 'a?c', 'a\u{1f600}c', 'a\nc'], ['ac', 'abbc', 'a/c']],
      ['? is one character, however many units it takes', '??', ['ab', '\u{1f600}\u{1f600}', 'a\u{1f600}'], ['a', '\u{1f600}', 'abc']],
      ['* after which ? takes one', '*?', ['a', 'ab', '\u{1f600}'], ['', '/', 'a/']],
      ['{ } is any of its parts', '{a,bc}d', ['ad', 'bcd'], ['d', 'abcd', 'a,bcd', 'bd']],
      ['a part may be nothing', 'a{,b}c', ['ac', 'abc'], ['abbc', 'a,c']],
      ['{ } of one part, or of none', '{a}{}', ['a'], ['', '{a}', '{}']],
      ['a part may hold others', '{*.js,src/**,?}', ['x.js', 'src/a/b', 'y', 'src/'], ['a/x.js', 'xy', 'src']],
      ['many { }', '{a,b}{a,b}{a,b}', ['aba', 'bbb'], ['ab', 'abab', 'abc']],
      ['a comma outside of { } is itself', 'a,b', ['a,b'], ['a', 'b']],
      ['\\ makes the next character itself', '\\*\\?\\{\\,\\}\\\\', ['*?{,}\\'], ['abcd', '\\*\\?']],
      ['\\ within { }', '{a\\,b,\\}}', ['a,b', '}'], ['a', 'b', 'a\\', '\\}']],
      ['other signs mean nothing', '[a-z]+(b|c)^$.!@#', ['[a-z]+(b|c)^$.!@#'], ['q', 'a', 'b']],
      ['no negation', '!a', ['!a'], ['b', '']],
      ['no case folding', 'a*', ['ab'], ['Ab', 'AB']],
      ['no normalisation', 'caf\u00e9*', ['caf\u00e9', 'caf\u00e9s'], ['cafe\u0301']],
    ] as const,
  )('%s: %s', (_rule, pattern, matching, others) => {
    for (const text of matching) expect([text, matches(pattern, text)]).toEqual([text, true])
    for (const text of others) expect([text, matches(pattern, text)]).toEqual([text, false])
  })

  it('remembers nothing of the texts that it was asked about', () => {
    const glob = compileGlob('{a,b}*/**')
    const asked = ['a/', 'b', 'bx/y', '', 'a/']
    const answers = asked.map((text) => glob.matches(text))
    expect(answers).toEqual([true, false, true, false, true])
    expect(asked.map((text) => glob.matches(text))).toEqual(answers)
  })
})

describe('a pattern', () => {
  it.each(['', 'a', '*', '**/*', '{a,b}', '{}', '{,}', 'a,b', '\\{', '\\\\', '{\\}}', '{a}{b}', 'a\\*'])('%j is in order', (pattern) => {
    expect(globProblem(pattern)).toBeUndefined()
  })

  it.each(
    [
      ['{', 'has a { without a }', 1],
      ['a{b,c', 'has a { without a }', 2],
      ['{a\\}', 'has a { without a }', 1],
      ['}', 'has a } without a {', 1],
      ['{a}}', 'has a } without a {', 4],
      ['{a{b}}', 'has a { inside of { }, which is not supported', 3],
      ['a\\', 'ends with \\, which must be followed by the character that it stands for', 2],
      ['\\\\\\', 'ends with \\, which must be followed by the character that it stands for', 3],
    ] as const,
  )('%j %s, at character %i', (pattern, problem, column) => {
    expect(globProblem(pattern)).toEqual({ column, problem })
  })
})

describe('by any pattern and text', () => {
  const plain = fc.constantFrom('a', 'b', '/', '\u{1f600}', '*', '**', '?', '\\*', '\\{', '\\,', '\\a', '\\\u{1f600}')
  const part = fc.array(plain, { maxLength: 3 }).map((tokens) => tokens.join(''))
  const either = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `{${parts.join(',')}}`)
  const patterns = fc.array(fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: either }), { maxLength: 7 }).map((tokens) =>
    tokens.join('')
  )
  const character = fc.constantFrom('a', 'b', '/', '\u{1f600}', '*', ',')
  // Long ones too, which take more than one word of bits.
  const texts = fc.oneof(fc.array(character, { maxLength: 8 }), fc.array(character, { maxLength: 100 })).map((characters) => characters.join(''))
  const longSegments = fc.array(fc.constantFrom('a'.repeat(31), 'a'.repeat(32), 'a'.repeat(64), 'b', '/'), { maxLength: 6 }).map((parts) =>
    parts.join('')
  )

  it('answers as the plain reading of the rules does', () => {
    fc.assert(
      fc.property(patterns, fc.oneof(texts, longSegments), (pattern, text) => {
        expect(globProblem(pattern)).toBeUndefined()
        expect(matches(pattern, text)).toBe(referenceMatches(pattern, text))
      }),
      { numRuns: 4_000 },
    )
  })

  it('never throws, whatever the pattern and the text hold', () => {
    const anything = fc.oneof(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
      fc.string({ unit: fc.constantFrom('{', '}', ',', '\\', '*', '?', '/', '\ud83d', '\ude00') }),
    )
    fc.assert(fc.property(anything, anything, (pattern, text) => typeof matches(pattern, text) === 'boolean'), { numRuns: 300 })
  })

  it('text that stands for itself is matched by itself escaped, and nothing else is', () => {
    const escaped = (text: string) => text.replace(/[*?{},\\]/g, '\\$&')
    fc.assert(fc.property(texts, texts, (text, other) => matches(escaped(text), other) === (text === other) && matches(escaped(text), text)), {
      numRuns: 1_000,
    })
  })
})

// A role's author chooses the pattern and a caller chooses the text, and one process answers for all. The worst case of
// the algorithm is pattern times text by 32, some 300 000 small steps: 1 to 25 ms of one processor, most of that before the
// code is warm. Backtracking would never end, and sets of states took 320 ms and a heap of garbage. CPU time of the process,
// so that a busy machine does not matter, and ten times what was measured, so that a slow one does not either.
describe('the worst patterns of 1 000 characters on 10 000 characters', () => {
  const a = 'a'.repeat(10_000)
  const different = Array.from({ length: 500 }, (_, at) => String.fromCharCode(0x4e00 + at)).join('')
  it.each([
    ['stars', `${'*a'.repeat(498)}*b?`, a],
    ['double stars', `${'**a'.repeat(332)}b*`, a],
    ['stars that match', '*a'.repeat(500), a],
    ['parts that all begin alike', `${'{*a,*a}'.repeat(142)}b*`, a],
    ['empty parts', `${'{,a,aa}'.repeat(124)}b*`, a],
    ['question marks after a star', `*${'?'.repeat(996)}*b?`, a],
    ['stars and characters of two units', `${'*\u{1f600}'.repeat(333)}?`, '\u{1f600}'.repeat(5_000)],
    ['as many different characters as there can be', different.replace(/./g, '*$&'), different.repeat(20)],
    ['a star for every segment', `${'*/'.repeat(498)}*b?`, 'a/'.repeat(5_000)],
  ])('%s', (_what, pattern, text) => {
    expect(pattern.length).toBeLessThanOrEqual(1_000)
    const glob = compileGlob(pattern)
    const before = process.cpuUsage()
    glob.matches(text)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000).toBeLessThan(250)
  })
})
