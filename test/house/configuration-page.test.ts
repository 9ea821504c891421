import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { configurationPage } from '../../docs/generator/configuration-page.js'
import { commandLine, migrateVariables, serviceGroups, SERVICES, setByStart, startOptionRows, type Variable, variablesOf } from '../../docs/generator/variables.js'

// docs/configuration.md says of each variable that anything of ours reads what it is for, and is as fresh as the code.

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8')

const ofServices = serviceGroups().flatMap(({ variables }) => variables)
const all = [...ofServices, ...migrateVariables(), ...commandLine()]
const known = new Set(all.map(({ name }) => name))

const withoutMeaning = (variables: readonly Variable[]): string[] => variables.filter(({ meaning }) => meaning.trim() === '').map(({ name }) => name)

type Source = { readonly path: string; readonly text: string }

const sources: readonly Source[] = ['libs', 'services', 'cli', 'deploy'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:ts|js|mjs)$/.test(file) && !file.endsWith('.test.ts') && !file.startsWith('wire/'))
    .map((file) => ({ path: `${folder}/${file}`, text: readFileSync(join(root, folder, file), 'utf8') })))

/** PATH finds programs, and CI is set by whoever runs the lint of the manifests. */
const NO_SETTINGS = ['PATH', 'CI']

const readBesideTheSchemas = ({ path, text }: Source): string[] =>
  [...text.matchAll(/\b(?:process\.env|environment)(?:\.|\[['"])([A-Z][A-Z_]+)/g)]
    .flatMap(([, name = '']) => (known.has(name) || NO_SETTINGS.includes(name) ? [] : [`${path}: ${name} has no row`]))

describe('docs/configuration.md', () => {
  it('is as the code is: `npm run docs` changes nothing', () => {
    expect(page).toBe(configurationPage(page))
  })

  it('says of each variable and option what it means', () => {
    expect(withoutMeaning([...all, ...startOptionRows()])).toEqual([])
  })

  it('has one row for each', () => {
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, name = '']) => name)
    expect(rows.toSorted()).toEqual([...known].toSorted())
  })

  it('has every variable of every service, whoever else reads it', () => {
    const each = Object.values(SERVICES).flatMap((shape) => Object.keys(shape))
    expect(new Set(each)).toEqual(new Set(ofServices.map(({ name }) => name)))
    expect(new Set(each).size).toBeGreaterThan(30)
  })

  it('lacks nothing that is read past the schemas', () => {
    expect(sources.flatMap(readBesideTheSchemas)).toEqual([])
    expect(sources.length).toBeGreaterThan(200)
  })

  it('says nothing by hand of variables that nothing reads', () => {
    const named = [...page.matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !known.has(name) && !['NAME_FILE', 'NODE_OPTIONS', 'UV_THREADPOOL_SIZE'].includes(name))).toEqual([])
  })

  it('knows what `npm start` sets by variables that there are', () => {
    expect(setByStart().filter((name) => !known.has(name))).toEqual([])
  })
})

// A house rule that looks at nothing is green.
describe('what is planted', () => {
  it('a variable without a meaning is noticed, and one whose meaning is wrapped is not', () => {
    const shape = { BARE: z.string().optional(), INNER: z.string().describe('said inside').optional(), OUTER: z.string().default('x').describe('said outside') }
    expect(variablesOf(shape)).toEqual([
      { name: 'BARE', standard: '', meaning: '' },
      { name: 'INNER', standard: '', meaning: 'said inside' },
      { name: 'OUTER', standard: '`x`', meaning: 'said outside' },
    ])
    expect(withoutMeaning(variablesOf(shape))).toEqual(['BARE'])
  })

  it('a row that was changed by hand is put right, and prose is not touched', () => {
    const changed = page.replace('| `DRAIN_SECONDS` | `5` |', '| `DRAIN_SECONDS` | `7` |').replace('# Configuration', '# Settings')
    expect(configurationPage(changed)).toBe(page.replace('# Configuration', '# Settings'))
    expect(changed).not.toContain('| `DRAIN_SECONDS` | `5` |')
  })

  it('a marker that is gone, twice there or unknown is an error', () => {
    const marker = '<!-- generated: migrate -->\n'
    for (const text of [page.replace(marker, ''), page + marker, `${page}<!-- generated: more -->\n<!-- end -->`]) expect(() => configurationPage(text)).toThrow(/docs\/configuration\.md/)
  })

  it.each(["process.env['NEW_VARIABLE']", 'process.env.NEW_VARIABLE', 'environment.NEW_VARIABLE'])('%s without a row is noticed', (text) => {
    expect(readBesideTheSchemas({ path: 'cli/new.ts', text })).toEqual(['cli/new.ts: NEW_VARIABLE has no row'])
  })
})
