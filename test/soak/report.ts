import { percentile } from '../../bench/statistics.js'
import type { JudgedLife, Verdict } from './judge.js'
import type { Sample, Work } from './observed.js'
import type { Run } from './run.js'
import type { Slope } from './slope.js'

/** All that a run has to show; its last line has the verdict. */
export function report(run: Run): string {
  return [...streamTable(run), '', ...lifeTable(run.verdict), '', ...errorLines(run.verdict), ...wrongLines(run.verdict), disturbanceLine(run), '', verdictLine(run)].join('\n')
}

export function verdictLine({ seed, seconds, observed, verdict }: Run): string {
  const { errors, wrong, faults } = verdict
  const counts = `${observed.work.length} calls, ${errors.length} errors, ${wrong.length} of ${observed.asked.length} answers wrong, ${observed.disturbances.filter(isOurs).length} disturbances`
  return `soak ${seconds.toFixed(0)} s, seed ${seed}: ${faults.length === 0 ? 'good' : `NOT GOOD: ${faults.join('; ')}`}; ${counts}`
}

const isOurs = ({ kind }: { readonly kind: string }): boolean => kind !== 'starved'

const row = (first: string, ...cells: readonly string[]): string => first.padEnd(26) + cells.map((cell) => cell.padStart(16)).join('')

function streamTable({ observed: { work }, verdict }: Run): string[] {
  const names = [...new Set(work.map(({ stream }) => stream))]
  const rows = names.map((name) => {
    const all = work.filter(({ stream }) => stream === name)
    const millis = all.filter(({ error }) => error === undefined).map((one) => one.millis)
    const failed = verdict.errors.filter(({ work: { stream } }) => stream === name)
    return row(name, String(all.length), String(failed.length), String(failed.filter(({ by }) => by === undefined).length), percentile(millis, 0.5).toFixed(1), percentile(millis, 0.99).toFixed(1))
  })
  return [row('calls', 'sent', 'failed', 'unexplained', 'p50 ms', 'p99 ms'), ...rows]
}

function lifeTable({ lives }: Verdict): string[] {
  const rows = lives.map((life) => {
    const { samples, memory, descriptors } = life
    const [first, last] = [samples[0], samples.at(-1)]
    const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1_000
    const delays = samples.flatMap(({ loopDelayMillis }) => (loopDelayMillis === undefined ? [] : [loopDelayMillis]))
    return row(nameOf(life), seconds.toFixed(0), rangeOf(samples), growth(memory), `${first?.descriptors ?? 0} to ${last?.descriptors ?? 0}`, growth(descriptors), percentile(delays, 0.5).toFixed(0), Math.max(0, ...delays).toFixed(0))
  })
  return [row('process', 'seconds', 'RSS MB', 'MB/min', 'descriptors', '/min', 'loop p99 ms', 'worst ms'), ...rows]
}

const nameOf = ({ name, pid }: JudgedLife): string => `${name} (${pid})`

function rangeOf(samples: readonly Sample[]): string {
  const megabytes = samples.map(({ rssBytes }) => rssBytes / 1024 ** 2)
  return `${(megabytes[0] ?? 0).toFixed(0)} to ${(megabytes.at(-1) ?? 0).toFixed(0)}`
}

/** A life that was too short has none. */
const growth = (slope: Slope | undefined): string => (slope ? `${slope.perMinute.toFixed(2)} ± ${slope.give.toFixed(2)}` : 'too short')

function errorLines({ errors }: Verdict): string[] {
  const lines = new Map<string, number>()
  for (const { work, by } of errors) {
    const line = `${textOf(work)}: ${by ? `explained by ${by.kind} of ${by.target}` : 'UNEXPLAINED'}`
    lines.set(line, (lines.get(line) ?? 0) + 1)
  }
  return [...lines].map(([line, count]) => `${String(count).padStart(6)}  ${line}`)
}

const textOf = ({ stream, error }: Work): string => `${stream}  ${error?.text ?? ''}`

const wrongLines = ({ wrong }: Verdict): string[] =>
  wrong.slice(0, 20).map(({ question, answer, due, sent, revoked }) => `WRONG ${question}: ${answer} instead of ${due}${revoked === undefined ? '' : `, ${(sent - revoked).toFixed(0)} ms after its revocation`}`)

function disturbanceLine({ observed: { disturbances } }: Run): string {
  const counts = new Map<string, number>()
  for (const { kind, target } of disturbances.filter(isOurs)) counts.set(`${kind} of ${target}`, (counts.get(`${kind} of ${target}`) ?? 0) + 1)
  const starved = disturbances.length - disturbances.filter(isOurs).length
  return `disturbances: ${[...counts].map(([what, count]) => `${what} ${count}`).join(', ')}${starved > 0 ? `; the machine had no time for ${starved} s` : ''}`
}
