import { cpus, loadavg } from 'node:os'
import type { LeftOut, Measured, Probed } from './measure.js'

export type Machine = { readonly cpu: string; readonly cores: number; readonly node: string; readonly platform: string }

/** The machine's load average over the last minute, as the run began and as it ended. */
export type Load = { readonly before: number; readonly after: number }

/** What bench/latest.json holds. */
export type Published = { readonly machine: Machine; readonly load: Load; readonly rows: readonly PublishedRow[] }

export type PublishedRow = Readonly<Record<string, string | number>>

const QUIET = 1
const BUSY = `WARNING: the machine was busy when this began (load above ${QUIET.toFixed(1)}): trust the ratios more than the rest.`

export function thisMachine(): Machine {
  const all = cpus()
  return { cpu: all[0]?.model.trim() ?? 'unknown', cores: all.length, node: process.version, platform: `${process.platform}-${process.arch}` }
}

export const loadNow = (): number => loadavg()[0] ?? NaN

/** What was measured in one run. */
export type Run = { readonly measured: readonly Measured[]; readonly probed: readonly Probed[]; readonly leftOut: readonly LeftOut[] }

export function published({ measured, probed }: Run, load: Load): Published {
  const to = (digits: number, value: number) => Number(value.toFixed(digits))
  const rows = measured.map(({ figures: { name, cpuMicros, ratioToEcho, p50Millis, p99Millis, perSecond } }) => ({
    name,
    cpuMicros: to(1, cpuMicros),
    ratioToEcho: to(2, ratioToEcho),
    p50Millis: to(2, p50Millis),
    p99Millis: to(2, p99Millis),
    perSecond: to(0, perSecond),
  }))
  const values = probed.map(({ probe, values: all }): PublishedRow => ({
    name: probe.name,
    ...Object.fromEntries(Object.entries(all).map(([name, value]) => [name, to(2, value)])),
  }))
  return { machine: thisMachine(), load: { before: to(2, load.before), after: to(2, load.after) }, rows: [...rows, ...values] }
}

const byName = (measured: readonly Measured[]) => new Map(measured.map(({ figures }) => [figures.name, figures]))

const verdict = (isMet: boolean | undefined): string => (isMet === undefined ? 'not compared, since that row was not measured' : isMet ? 'met' : 'not met')

/** Everything that a person is shown. */
export function report({ measured, probed, leftOut }: Run, result: Published): string {
  const { machine, load } = result
  return [
    `${machine.cpu}, ${machine.cores} cores, node ${machine.node}, ${machine.platform}`,
    `load average ${load.before.toFixed(2)} before, ${load.after.toFixed(2)} after`,
    ...(load.before > QUIET ? [BUSY] : []),
    '',
    ...table(measured),
    '',
    ...leftOut.map(({ name, because }) => `${name} is left out: ${because}`),
    ...measured.filter(({ shares }) => shares.length > 1).map(sharesLine),
    '',
    ...probed.map(({ probe, values }) => `${probe.name}: ${Object.entries(values).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(', ')}`),
    '',
    ...probed.flatMap(({ probe, values }) => probe.bars.map((bar) => `${probe.name} ${bar.says}: ${bar.isMet(values) ? 'met' : 'not met'}`)),
    ...measured.flatMap(({ row, figures }) => row.bars.map((bar) => `${row.name} ${bar.says}: ${verdict(bar.isMet(figures, byName(measured)))}`)),
  ].join('\n')
}

function table(measured: readonly Measured[]): string[] {
  const head = ['', 'server CPU µs', 'best round', 'ratio to echo', 'p50 ms', 'p99 ms', 'per second']
  const lines = measured.map(({ figures: { name, cpuMicros, ratioToEcho, p50Millis, p99Millis, perSecond }, leastCpuMicros }) => {
    const fractions = [p50Millis, p99Millis].map((millis) => millis.toFixed(2))
    return [name, cpuMicros.toFixed(1), leastCpuMicros.toFixed(1), ratioToEcho.toFixed(2), ...fractions, perSecond.toFixed(0)]
  })
  const widths = head.map((_title, column) => Math.max(...[head, ...lines].map((cells) => cells[column]?.length ?? 0)))
  const aligned = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))
  return [head, ...lines].map((cells) => cells.map(aligned).join('  '))
}

function sharesLine({ row, shares, because }: Measured): string {
  const sum = shares.reduce((micros, share) => micros + share.cpuMicros, 0)
  const each = shares.map(({ name, cpuMicros }) => `${name} ${cpuMicros.toFixed(0)}`).join(' + ')
  return `${row.name}, CPU µs per call of all: ${each} = ${sum.toFixed(0)} (${because})`
}
