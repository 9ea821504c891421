import { describe, expect, it } from 'vitest'
import { read } from './documents.js'
import { isAnswered, missingTests, shownRows } from './shown-by.js'

/** Every number of the list of attacks and faults. */
const ALL = Array.from({ length: 90 }, (_, at) => 1 + at)

const { text } = read('docs/threats.md')
const rows = shownRows(text)
const [, left = ''] = /^Left to identity-registry: (.+)$/m.exec(text) ?? []
const elsewhere = (left.match(/\d+/g) ?? []).map(Number)

describe('docs/threats.md', () => {
  it('has every number once, in a row of its own or among those that it leaves to others', () => {
    const numbers = rows.map(({ number }) => number)
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
    expect([...numbers, ...elsewhere].toSorted((one, other) => one - other)).toEqual(ALL)
  })

  it.each(rows)('shows $number, $what, by tests that there are, or says why it is different or open', ({ shown }) => {
    expect(missingTests(shown)).toEqual([])
    expect(isAnswered(shown)).toBe(true)
  })
})
