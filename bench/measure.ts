import { Closing } from '#libs/lifecycle.js'
import { cpuSince, type CpuTimes, cpuTimes, type Part } from './cpu.js'
import { type Amount, drive } from './load.js'
import type { Figures, Probe, ProbeSize, Row, Subject, Values } from './row.js'
import { median, percentile } from './statistics.js'
import type { BenchSystem } from './system.js'

export type Plan = {
  readonly rounds: number
  readonly inFlight: number
  /** In calls, since a compiler that optimizes counts those; on a busy machine it ends before. */
  readonly warmUp: Required<Amount>
  readonly phaseMillis: number
  readonly probes: ProbeSize
}

export type Measured = {
  readonly row: Row
  readonly figures: Figures
  /** Of its best round, which on a busy machine is the nearest to what a quiet one would show. */
  readonly leastCpuMicros: number
  readonly shares: readonly Share[]
  readonly because: string
}

/** What one process, or several of one kind, spent on a call. */
export type Share = { readonly name: string; readonly cpuMicros: number }

export type Probed = { readonly probe: Probe; readonly values: Values }

/** A row that can't be measured on this machine, and why. */
export type LeftOut = { readonly name: string; readonly because: string }

export async function measurable(rows: readonly Row[]): Promise<{ readonly rows: readonly Row[]; readonly leftOut: readonly LeftOut[] }> {
  const judged = await Promise.all(rows.map(async (row) => ({ row, because: await row.missing?.() })))
  return {
    rows: judged.filter(({ because }) => because === undefined).map(({ row }) => row),
    leftOut: judged.flatMap(({ row: { name }, because }) => (because === undefined ? [] : [{ name, because }])),
  }
}

/** Measures what is no call in flight, one after the other. */
export async function measureProbes(system: BenchSystem, probes: readonly Probe[], size: ProbeSize, onPhase: (name: string) => void): Promise<Probed[]> {
  const probed: Probed[] = []
  for (const probe of probes) {
    onPhase(probe.name)
    probed.push({ probe, values: await probe.measure(system, size) })
  }
  return probed
}

type Sample = Pick<Figures, 'cpuMicros' | 'p50Millis' | 'p99Millis' | 'perSecond'> & { readonly shares: readonly Share[] }

// Before a phase is measured its processes have slept through those of the others.
const RAMP_SHARE = 0.15

/**
 * Measures the rows in turns, so that whatever else the machine does meets all of them. The first row is what the others
 * are compared with, each round with its own.
 */
export async function measure(system: BenchSystem, rows: readonly Row[], plan: Plan, onPhase: (name: string) => void): Promise<Measured[]> {
  const closing = new Closing()
  try {
    const opened: { row: Row; subject: Subject; samples: Sample[] }[] = []
    for (const row of rows) {
      const subject = await row.open(system)
      closing.add(() => subject.close())
      opened.push({ row, subject, samples: [] })
    }
    const { inFlight, rounds, warmUp } = plan
    for (const { row, subject } of opened) {
      onPhase(`warming up ${row.name}`)
      await drive(subject.call, row.inFlight ?? inFlight, warmUp)
    }
    for (let round = 1; round <= rounds; round += 1) {
      for (const { row, subject, samples } of opened) {
        onPhase(`round ${round} of ${rounds}: ${row.name}`)
        samples.push(await phase(subject, { ...plan, inFlight: row.inFlight ?? inFlight }))
      }
    }
    const [floor] = opened
    return opened.map(({ row, subject, samples }) => measured(row, subject, { samples, floor: floor?.samples ?? [] }))
  } finally {
    await closing.close()
  }
}

async function phase({ call, server, others }: Subject, { inFlight, phaseMillis: millis }: Plan): Promise<Sample> {
  await drive(call, inFlight, { millis: millis * RAMP_SHARE })
  const parts = [server, ...(others?.parts ?? [])]
  const before = await timesOf(parts)
  const driven = await drive(call, inFlight, { millis })
  const after = await timesOf(parts)
  const shares = parts.map((part, at) => ({ name: part.name, cpuMicros: cpuSince(before[at] ?? new Map(), after[at] ?? new Map()) / driven.calls }))
  const cpuMicros = shares[0]?.cpuMicros ?? 0
  if (cpuMicros === 0) throw new Error(`the CPU time of ${server.name} can't be read from /proc: this needs Linux with schedstat`)
  const [p50Millis, p99Millis] = [percentile(driven.latencies, 0.5), percentile(driven.latencies, 0.99)]
  return { shares, cpuMicros, p50Millis, p99Millis, perSecond: (driven.calls / driven.millis) * 1000 }
}

async function timesOf(parts: readonly Part[]): Promise<CpuTimes[]> {
  return Promise.all(parts.map(async (part) => cpuTimes(await part.pids())))
}

function measured(row: Row, { others }: Subject, { samples, floor }: { samples: readonly Sample[]; floor: readonly Sample[] }): Measured {
  const middle = (of: (sample: Sample, round: number) => number) => median(samples.map(of))
  const figures = {
    name: row.name,
    cpuMicros: middle((sample) => sample.cpuMicros),
    ratioToEcho: middle(({ cpuMicros }, round) => cpuMicros / (floor[round]?.cpuMicros ?? NaN)),
    p50Millis: middle((sample) => sample.p50Millis),
    p99Millis: middle((sample) => sample.p99Millis),
    perSecond: middle((sample) => sample.perSecond),
  }
  const names = samples[0]?.shares.map(({ name }) => name) ?? []
  const shares = names.map((name, at) => ({ name, cpuMicros: middle((sample) => sample.shares[at]?.cpuMicros ?? NaN) }))
  return { row, figures, leastCpuMicros: Math.min(...samples.map(({ cpuMicros }) => cpuMicros)), shares, because: others?.because ?? '' }
}
