import { describe, expect, it } from 'vitest'
import { read } from './documents.js'
import { isAnswered, missingTests, shownRows } from './shown-by.js'

/** The rows of the check-list that auth-exchange answers to. */
const OWED = [...Array.from({ length: 37 }, (_, at) => 35 + at), ...Array.from({ length: 6 }, (_, at) => 85 + at)]

const rows = shownRows(read('docs/coverage.md').text)

describe('docs/coverage.md', () => {
  it('has a row for each number, once and in order', () => expect(rows.map(({ number }) => number)).toEqual(OWED))

  it.each(rows)('shows $number, $what, by tests that there are, or says why it is different', ({ shown }) => {
    expect(missingTests(shown)).toEqual([])
    expect(isAnswered(shown)).toBe(true)
  })

  it('would notice a test that is gone', () => {
    expect(missingTests('test/house/coverage-page.test.ts “would notice a test that is gone”')).toEqual([])
    expect(missingTests('test/house/gone.test.ts “as it was”')).toEqual(['test/house/gone.test.ts', 'as it was'])
    expect([isAnswered('by tests'), isAnswered('different because '), isAnswered('different because it is')]).toEqual([false, false, true])
  })
})
