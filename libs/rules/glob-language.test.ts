import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceMatches } from '../../test/support/reference-glob.js'
import { RUNS } from '../../test/support/rule-arbitraries.js'
import { wholeBudget } from './budget.js'
import { areGlobsDisjoint as areDisjoint, isGlobWithin as isWithin, machineOf } from './glob-language.js'

const isGlobWithin = (narrow: string, wide: string): boolean => isWithin(machineOf(narrow), machineOf(wide), wholeBudget())
const areGlobsDisjoint = (one: string, other: string): boolean => areDisjoint(machineOf(one), machineOf(other), wholeBudget())

describe('a glob is within another', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/a/b', '/a/*'],
    ['/a/*', '/a/**'],
    ['/a/*/c', '/a/**'],
    ['/a/*/c', '/**/c'],
    ['/a/{b,c}', '/a/?'],
    ['/a/{b,c}/**', '/a/{c,b,d}/**'],
    ['a?', 'a*'],
    ['**', '{,**}'],
    ['*', '**'],
    ['a\\*', 'a?'],
    ['\u{1f600}', '?'],
    ['x\u{1f600}', 'x\u{1f600}'],
  ])('%s within %s', (narrow, wide) => expect(isGlobWithin(narrow, wide)).toBe(true))

  it.each([
    ['/a/**', '/a/*'],
    ['/a/*', '/a/b'],
    ['/a/**', '/a/b/**'],
    ['a*', 'a?'],
    ['**', '*'],
    ['/a/{b,cc}', '/a/?'],
    ['a?', 'a\\*'],
    ['a?', 'a\\?'],
    ['{a,b}', 'a'],
    ['', 'a'],
    ['?', 'a'],
    ['\u{1f600}', '??'],
  ])('%s not within %s', (narrow, wide) => expect(isGlobWithin(narrow, wide)).toBe(false))
})

describe('globs share nothing', () => {
  it.each([
    ['/a/**', '/b/**'],
    ['/a/*', '/a/b/c'],
    ['*.js', '*.ts'],
    ['a', 'a?'],
    ['/**/x', '/**/y'],
    ['{a,b}', '{c,d}'],
    ['', '?*'],
    ['\u{1f600}', '??'],
  ])('%s and %s', (one, other) => expect([areGlobsDisjoint(one, other), areGlobsDisjoint(other, one)]).toEqual([true, true]))

  it.each([
    ['/a/**', '/**/b'],
    ['a*', '*b'],
    ['*', '?'],
    ['{a,b}', '{b,c}'],
    ['a\\*', 'a?'],
    ['', '**'],
  ])('%s and %s share something', (one, other) => expect([areGlobsDisjoint(one, other), areGlobsDisjoint(other, one)]).toEqual([false, false]))
})

// Every text of up to five of these: enough to tell any two of the small patterns apart.
const LETTERS = ['a', 'b', '/', 'c']
const TEXTS = [0, 1, 2, 3, 4, 5].reduce<string[][]>((all, length) => [...all, length === 0 ? [''] : (all.at(-1) ?? []).flatMap((text) => LETTERS.map((letter) => text + letter))], []).flat()

describe('small patterns', () => {
  const token = fc.constantFrom('a', 'b', '/', '*', '**', '?', '{a,b}', '{,b}', '{*,a/}')
  const pattern = fc.array(token, { maxLength: 3 }).map((tokens) => tokens.join(''))

  // Both ways: a yes is never wrong, and a no is never for want of trying.
  it('are judged exactly, over all short texts', { timeout: 60_000 }, () => {
    const matching = new Map<string, readonly boolean[]>()
    const matchesOf = (glob: string) => {
      const known = matching.get(glob) ?? TEXTS.map((text) => referenceMatches(glob, text))
      matching.set(glob, known)
      return known
    }
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        const [ones, others] = [matchesOf(one), matchesOf(other)]
        expect(isGlobWithin(one, other)).toBe(ones.every((matches, place) => !matches || others[place]))
        expect(areGlobsDisjoint(one, other)).toBe(!ones.some((matches, place) => matches && others[place]))
      }),
      { numRuns: 3_000 },
    )
  })
})

// Whoever edits roles chooses the patterns. CPU time of the process, ten times what was measured.
describe('the worst patterns of 1 000 characters', () => {
  it.each([
    ['stars', '*a'.repeat(500), '*b'.repeat(500)],
    ['double stars', '**a'.repeat(330), '**b'.repeat(330)],
    ['the same', '*a'.repeat(500), '*a'.repeat(500)],
    ['many parts', '{a,b,*}'.repeat(142), '{*,b,a}'.repeat(142)],
    ['parts that are empty', `${`{${','.repeat(30)}*}`.repeat(29)}a`, `${`{${','.repeat(30)}*}`.repeat(29)}b`],
    ['different characters', Array.from({ length: 333 }, (_, at) => `*${String.fromCharCode(0x4e00 + at)}`).join('*'), '**'],
  ])('%s', (_what, one, other) => {
    const before = process.cpuUsage()
    isGlobWithin(one, other)
    areGlobsDisjoint(one, other)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000).toBeLessThan(300)
  })
})

describe('random patterns and texts', () => {
  const token = fc.constantFrom('a', 'b', '/', '*', '**', '?', '\\*', '{a,b}', '\u{1f600}')
  const pattern = fc.array(token, { maxLength: 8 }).map((tokens) => tokens.join(''))
  const text = fc.array(fc.constantFrom('a', 'b', '/', '*', '\u{1f600}', 'c'), { maxLength: 8 }).map((letters) => letters.join(''))

  it('never disprove what was proven', () => {
    fc.assert(
      fc.property(pattern, pattern, text, (one, other, asked) => {
        const [matchesOne, matchesOther] = [referenceMatches(one, asked), referenceMatches(other, asked)]
        if (isGlobWithin(one, other)) expect(matchesOne && !matchesOther).toBe(false)
        if (areGlobsDisjoint(one, other)) expect(matchesOne && matchesOther).toBe(false)
      }),
      { numRuns: RUNS },
    )
  })
})
