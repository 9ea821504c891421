import type { Part } from './cpu.js'
import type { Call } from './load.js'
import type { BenchSystem } from './system.js'

/** One line of the table. */
export type Row = {
  readonly name: string
  readonly bars: readonly Bar[]
  /** Calls under way at a time, where it is not the number that all rows have. */
  readonly inFlight?: number
  /** Why it can't be measured on this machine; undefined where it can. */
  missing?(): Promise<string | undefined>
  open(system: BenchSystem): Promise<Subject>
}

/** What is measured otherwise than by the CPU time of calls in flight. */
export type Probe = {
  readonly name: string
  readonly bars: readonly { readonly says: string; isMet(values: Values): boolean }[]
  measure(system: BenchSystem, size: ProbeSize): Promise<Values>
}

export type Values = Readonly<Record<string, number>>

/** `restMillis`: how long a process that is to be at rest is left alone before. */
export type ProbeSize = { readonly samples: number; readonly millis: number; readonly restMillis: number }

/** What design section 9 asks of it, where need be in comparison with other rows of the run; undefined where those are not in it. */
export type Bar = { readonly says: string; isMet(figures: Figures, others: ReadonlyMap<string, Figures>): boolean | undefined }

/** One row as it is published, each value the median of its rounds. */
export type Figures = {
  readonly name: string
  readonly cpuMicros: number
  readonly ratioToEcho: number
  readonly p50Millis: number
  readonly p99Millis: number
  readonly perSecond: number
}

/** A row that is ready to be measured. */
export type Subject = {
  readonly call: Call
  /** Whose CPU time counts as the row's. */
  readonly server: Part
  /** Who else works for the call, and why it does. */
  readonly others?: { readonly parts: readonly Part[]; readonly because: string }
  close(): Promise<void> | void
}
