import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from './documents.js'

/** The rows of the check-list that auth-exchange answers to. */
const OWED = [...Array.from({ length: 37 }, (_, at) => 35 + at), ...Array.from({ length: 6 }, (_, at) => 85 + at)]

const page = readFileSync(join(ROOT, 'docs/coverage.md'), 'utf8')
const rows = [...page.matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, number = '', what = '', shown = '']) => ({ number: Number(number), what, shown }))

const FILE = /(?:test|services|libs)\/[\w/-]+\.test\.ts/g

/** What a row names that is not there: a file, or a title that none of its files has. */
function missing(shown: string): string[] {
  const files = shown.match(FILE) ?? []
  const absent = files.filter((file) => !existsSync(join(ROOT, file)))
  const texts = files.filter((file) => !absent.includes(file)).map((file) => readFileSync(join(ROOT, file), 'utf8').replaceAll("\\'", "'"))
  const titles = [...shown.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title)
  return [...absent, ...titles.filter((title) => !texts.some((text) => text.includes(`'${title}'`)))]
}

describe('docs/coverage.md', () => {
  it('has a row for each number, once and in order', () => expect(rows.map(({ number }) => number)).toEqual(OWED))

  it.each(rows)('shows $number, $what, by tests that there are, or says why it is different', ({ shown }) => {
    expect(missing(shown)).toEqual([])
    expect(shown.startsWith('different because ') || FILE.test(shown)).toBe(true)
    FILE.lastIndex = 0
  })

  it('would notice a test that is gone', () => {
    expect(missing('test/house/coverage-page.test.ts “would notice a test that is gone”')).toEqual([])
    expect(missing('test/house/gone.test.ts “as it was”')).toEqual(['test/house/gone.test.ts', 'as it was'])
  })
})
