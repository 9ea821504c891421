import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './documents.js'

// Pages that have a row for each number of a list, whose last cell says by which tests it is shown.

export type ShownRow = { readonly number: number; readonly what: string; readonly shown: string }

export function shownRows(text: string): ShownRow[] {
  return [...text.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, number, cells = '']) => {
    const [what = '', ...others] = cells.split(' | ')
    return { number: Number(number), what, shown: others.at(-1) ?? '' }
  })
}

const FILE = /(?:test|services|libs)\/[\w/-]+\.test\.ts/g

/** Whether a row names a test, or gives a reason in its place. */
export const isAnswered = (shown: string): boolean => /^(?:different|open) because ./.test(shown) || shown.match(FILE) !== null

/** What a row names that is not there: a file, or a title that none of its files has. */
export function missingTests(shown: string): string[] {
  const files = shown.match(FILE) ?? []
  const absent = files.filter((file) => !existsSync(join(ROOT, file)))
  const texts = files.filter((file) => !absent.includes(file)).map((file) => readFileSync(join(ROOT, file), 'utf8').replaceAll("\\'", "'"))
  const titles = [...shown.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title)
  return [...absent, ...titles.filter((title) => !texts.some((text) => text.includes(`'${title}'`)))]
}
