import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { brokenLinks, missingFiles, pages, read, ROOT } from './documents.js'

// What the pages name is there, and whoever starts at the README finds each of them.

describe('the pages', () => {
  it('name no file that is not there', () => {
    expect(pages().flatMap(missingFiles)).toEqual([])
  })

  it('link to nothing that is not there', () => {
    expect(pages().flatMap(brokenLinks)).toEqual([])
  })

  it('are all linked from the README', () => {
    const { text } = read('README.md')
    const linked = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`)
    expect(['SECURITY.md', 'LICENSE', ...linked].filter((page) => !text.includes(`](${page})`))).toEqual([])
  })
})

describe('the license', () => {
  // The text of apache.org, to the letter.
  it('is Apache-2.0, unchanged, and said in the package', () => {
    expect(createHash('sha256').update(read('LICENSE').text).digest('hex')).toBe('cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30')
    expect(JSON.parse(read('package.json').text)).toMatchObject({ license: 'Apache-2.0' })
    expect(JSON.parse(read('package-lock.json').text)).toMatchObject({ packages: { '': { license: 'Apache-2.0' } } })
  })
})

// A house rule that looks at nothing is green.
describe('what is planted', () => {
  it.each([
    ['a file that is gone', 'see `libs/gone.ts`', ['docs/a.md: libs/gone.ts is not there']],
    ['one among several', '`libs/env.ts, cli/gone.ts`', ['docs/a.md: cli/gone.ts is not there']],
    ['a folder that is gone', '`test/gone/`', ['docs/a.md: test/gone/ is not there']],
    ['what is there, a placeholder, and what is built', '`libs/env.ts` `test/FOLDER/file.test.ts` `dist/libs/gone.js` `npm run docs`', []],
  ])('%s', (_what, text, problems) => {
    expect(missingFiles({ path: 'docs/a.md', text })).toEqual(problems)
  })

  it.each([
    ['[a](gone.md)', 1],
    ['[a](../README.md) [b](errors.md) [c](https://example.com/x)', 0],
    ['[a](errors.md#about-credentials)', 0],
    ['[a](errors.md#about-nothing)', 1],
    ['# Here\n[a](#here) [b](#there)', 1],
  ])('%j', (text, problems) => {
    expect(brokenLinks({ path: 'docs/a.md', text })).toHaveLength(problems)
  })
})
