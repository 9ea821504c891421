import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandLine, migrateVariables, serviceGroups } from '../../docs/generator/variables.js'
import { read, ROOT } from './documents.js'

// docs/runbook.md has an entry for every way to fail that the code has a name for, and says nothing that the code does not.

const runbook = read('docs/runbook.md').text
const errors = read('docs/errors.md').text
const metrics = read('docs/metrics.md').text

type Entry = { readonly title: string; readonly text: string }

const entriesOf = (text: string): Entry[] => text.split(/^### /m).slice(1).map((part) => ({ title: part.split('\n')[0] ?? '', text: (part.split(/^## /m)[0] ?? '') }))

const PARTS = ['Shows', 'Means', 'Do', 'Over']

const incomplete = (text: string): string[] =>
  entriesOf(text).flatMap((entry) => PARTS.filter((part) => !new RegExp(`^- \\*\\*${part}\\*\\*: \\S`, 'm').test(entry.text)).map((part) => `${entry.title}: ${part} is missing`))

/** What an entry is found by. */
const shown = (text: string): string => entriesOf(text).map((entry) => /^- \*\*Shows\*\*: (.*)$/m.exec(entry.text)?.[1] ?? '').join('\n')

const reasons = [...errors.matchAll(/^\| ([A-Z_]+) \| (\w+) \|/gm)].map(([, reason = '', kind = '']) => ({ reason, kind }))
const OF_TROUBLE = ['UNAVAILABLE', 'INTERNAL', 'RESOURCE_EXHAUSTED', 'any']
const troubles = reasons.filter(({ kind }) => OF_TROUBLE.includes(kind)).map(({ reason }) => reason)

const metricNames = [...metrics.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name)
/** Those of every process. prom-client names them, and test/house/metrics-page.test.ts sees them served. */
const ofProcess = ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes']

const has = (text: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(text)

const variables = [...serviceGroups().flatMap((group) => group.variables), ...migrateVariables(), ...commandLine()].map(({ name }) => name)
const kinds = reasons.map(({ kind }) => kind)
const OTHER_NAMES = ['NAME', 'NAME_FILE', 'SERVING', 'PEM']

/** Words in capitals and names of metrics that are neither ours nor anybody's. */
function unknownNames(text: string): string[] {
  const plain = text.replace(/“[^”]*”/g, '')
  const words = [...plain.matchAll(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\bINTERNAL\b|\bOVERLOADED\b|\bCONTENTION\b/g)].map(([word]) => word)
  const known = new Set([...reasons.map(({ reason }) => reason), ...variables, ...kinds, ...OTHER_NAMES])
  const ours = [...plain.matchAll(/`((?:countersign|rpc_server|nodejs|process)_\w+)`/g)].map(([, name = '']) => name)
  return [...words.filter((word) => !known.has(word)), ...ours.filter((name) => !metricNames.includes(name) && !ofProcess.includes(name))]
}

const code = ['libs', 'services', 'deploy/database'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('wire/'))
    .map((file) => readFileSync(join(ROOT, folder, file), 'utf8').replaceAll("\\'", "'")))

/** A job's name and what is said of every job stand apart in the code. */
const FAILED = ' failed'

/** Whether one file of the code says all parts of a line; … stands for what varies. */
function isSaid(line: string): boolean {
  const parts = line.split('…').map((part) => part.trim()).filter((part) => part !== '')
  const job = line.endsWith(FAILED) && line.slice(0, -FAILED.length)
  return code.some((text) => parts.every((part) => text.includes(part)) || (job !== false && (text.includes(`failed('${job}')`) || text.includes(`name: '${job}', everyMillis`))))
}

const unsaidLines = (text: string): string[] => [...text.matchAll(/“([^”]+)”/g)].map(([, line = '']) => line).filter((line) => line !== 'quotes' && !isSaid(line))

describe('docs/runbook.md', () => {
  it('says of each trouble how it shows, what it means, what to do, and when it is over', () => {
    expect(incomplete(runbook)).toEqual([])
    expect(entriesOf(runbook).length).toBeGreaterThan(30)
  })

  it('has an entry for every reason that is no fault of the caller', () => {
    expect(troubles.filter((reason) => !has(shown(runbook), reason))).toEqual([])
    expect(troubles.length).toBeGreaterThan(9)
  })

  it('has an entry for every metric of ours', () => {
    expect(metricNames.filter((name) => !has(shown(runbook), name))).toEqual([])
    expect(metricNames.length).toBeGreaterThan(9)
  })

  it('has an entry for what docs/metrics.md finds worth an alert', () => {
    const alerts = metrics.slice(metrics.indexOf('Worth an alert'))
    const named = [...alerts.matchAll(/`((?:countersign|rpc|nodejs)_\w+)/g)].map(([, name = '']) => name.replace(/_count$/, ''))
    expect(named.filter((name) => !has(shown(runbook), name))).toEqual([])
    expect(named.length).toBeGreaterThan(3)
  })

  it('names no metric, reason or variable that there is not', () => {
    expect(unknownNames(runbook)).toEqual([])
  })

  it('quotes no line that the code does not say', () => {
    expect(unsaidLines(runbook)).toEqual([])
  })

  it('quotes every warning and error that the code logs', () => {
    const logged = code.flatMap((text) => [...text.matchAll(/log\.(?:warn|error)\((?:\{[^\n]*\}, )?'([^'\n]+)'\)/g)].map(([, line = '']) => line))
    expect(logged.filter((line) => line !== 'looking at the certificate failed' && !runbook.includes(line))).toEqual([])
    expect(logged.length).toBeGreaterThan(5)
  })
})

// A house rule that looks at nothing is green.
describe('what is planted', () => {
  it.each(PARTS)('an entry without %s is noticed', (part) => {
    const whole = `### A\n\n${PARTS.map((one) => `- **${one}**: x`).join('\n')}\n`
    expect(incomplete(whole)).toEqual([])
    expect(incomplete(whole.replace(`- **${part}**: x`, ''))).toEqual([`A: ${part} is missing`])
  })

  it.each(['GONE_REASON', '`GONE_VARIABLE`', '`countersign_gone_total`', '`nodejs_gone`'])('%s is noticed', (name) => {
    expect(unknownNames(`see ${name} here`)).toHaveLength(1)
  })

  it.each(['Redis is very well', 'Migration … of schema … succeeded', 'dancing failed'])('a line that nobody says is noticed: %s', (line) => {
    expect(unsaidLines(`“${line}”`)).toEqual([line])
  })
})
