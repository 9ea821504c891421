import type { Asked, Disturbance, Life, Observed, Work } from './observed.js'
import { type Slope, slopeOf } from './slope.js'

// Says of what was observed whether it may be so. It knows nothing of how the system works.

/** How long after a disturbance not everything has to be as before: as test/chaos has it. */
const RECOVER_WITHIN_MILLIS = 5_000

/** What a process keeps in the first half of its life, and at most in so long, is no growth: caches fill. */
const WARM_UP_MILLIS = 120_000

/** What grows slower, or what may be chance, is none. A run of an hour would show 100 MB. */
const GROWTH_MEGABYTES_PER_MINUTE = 1.5
const GROWTH_DESCRIPTORS_PER_MINUTE = 1

/** What whoever is disturbed may answer; anything else has no excuse. */
const EXCUSED = new Set(['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'ABORTED'])

export type Explained = { readonly work: Work; readonly by: Disturbance | undefined }

export type JudgedLife = Life & { readonly memory: Slope | undefined; readonly descriptors: Slope | undefined }

export type Verdict = {
  readonly errors: readonly Explained[]
  readonly wrong: readonly Asked[]
  readonly lives: readonly JudgedLife[]
  /** What is not as it should be, a sentence each; nothing where all is well. */
  readonly faults: readonly string[]
}

export function judge(observed: Observed): Verdict {
  const errors = observed.work.flatMap((work) => (work.error ? [{ work, by: explanationOf(work, observed.disturbances) }] : []))
  const wrong = observed.asked.filter((asked) => isWrong(asked, observed.boundMillis))
  const lives = observed.lives.map(judgedLife)
  const unexplained = errors.filter(({ by }) => by === undefined)
  const faults = [
    ...(wrong.length > 0 ? [`${wrong.length} wrong answers`] : []),
    ...(unexplained.length > 0 ? [`${unexplained.length} errors that no fault explains`] : []),
    ...lives.flatMap(growthOf),
    ...nothingProved(observed).map((what) => `proved nothing: ${what}`),
  ]
  return { errors, wrong, lives, faults }
}

function isWrong({ answer, due, sent, revoked }: Asked, boundMillis: number): boolean {
  const isBound = revoked === undefined || sent >= revoked + boundMillis
  return isBound && answer !== due
}

function explanationOf({ sent, millis, error }: Work, disturbances: readonly Disturbance[]): Disturbance | undefined {
  if (!error || !EXCUSED.has(error.kind)) return undefined
  const possible = disturbances.filter(({ from, to }) => from <= sent + millis && sent <= to + RECOVER_WITHIN_MILLIS)
  // The likeliest: what was killed, and what was done last.
  return possible.findLast(({ kind }) => kind === 'kill') ?? possible.findLast(({ kind }) => kind !== 'starved') ?? possible.at(-1)
}

function judgedLife(life: Life): JudgedLife {
  const [first, last] = [life.samples[0]?.at ?? 0, life.samples.at(-1)?.at ?? 0]
  const warm = first + Math.min(WARM_UP_MILLIS, (last - first) / 2)
  const samples = life.samples.filter(({ at }) => at >= warm)
  return {
    ...life,
    memory: slopeOf(samples.map(({ at, rssBytes }) => ({ at, value: rssBytes / 1024 ** 2 }))),
    descriptors: slopeOf(samples.map(({ at, descriptors }) => ({ at, value: descriptors }))),
  }
}

function growthOf({ name, pid, memory, descriptors }: JudgedLife): string[] {
  // A pool that was emptied fills again: growth is what goes beyond what was there before.
  const surely = (slope: Slope | undefined) => (slope?.isRisen === true ? slope.perMinute - slope.give : -Infinity)
  return [
    ...(surely(memory) > GROWTH_MEGABYTES_PER_MINUTE ? [`${name} (${pid}) grows by ${memory?.perMinute.toFixed(1)} MB a minute`] : []),
    ...(surely(descriptors) > GROWTH_DESCRIPTORS_PER_MINUTE ? [`${name} (${pid}) keeps ${descriptors?.perMinute.toFixed(1)} more descriptors a minute`] : []),
  ]
}

function nothingProved({ work, asked, disturbances, lives }: Observed): string[] {
  return [
    ...(work.some(({ error }) => error === undefined) ? [] : ['no call was answered']),
    ...(asked.some(({ revoked }) => revoked !== undefined) ? [] : ['nobody asked about a revoked token']),
    ...(disturbances.length > 0 ? [] : ['nothing was disturbed']),
    ...(lives.some(({ samples }) => samples.length > 0) ? [] : ['no process was looked at']),
  ]
}
