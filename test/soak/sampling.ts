import { readdir, readFile } from 'node:fs/promises'
import { monotonicMillis } from '#libs/clock.js'
import type { Process } from '../support/processes.js'
import type { Life, Sample } from './observed.js'

/** A process to look at, and where it serves its metrics. */
export type Watched = { readonly name: string; readonly process: Process; readonly metricsPort: string }

const EVERY_MILLIS = 1_000

/** Looks at every process once a second, each of its lives for itself, until it is stopped. */
export function watch(watched: readonly Watched[]): { readonly lives: () => Life[]; readonly stop: () => void } {
  const lives = new Map<string, { readonly name: string; readonly pid: number; readonly samples: Sample[] }>()
  const look = async ({ name, process: { pid }, metricsPort }: Watched) => {
    const sample = await sampleOf(pid, metricsPort)
    if (!sample) return
    const life = lives.get(`${name} ${pid}`) ?? { name, pid, samples: [] }
    lives.set(`${name} ${pid}`, life)
    life.samples.push(sample)
  }
  const timer = setInterval(() => void Promise.all(watched.map(look)), EVERY_MILLIS)
  return { lives: () => [...lives.values()], stop: () => clearInterval(timer) }
}

/** Undefined where the process is gone. */
async function sampleOf(pid: number, metricsPort: string): Promise<Sample | undefined> {
  try {
    const [status, descriptors] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readdir(`/proc/${pid}/fd`)])
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1])
    if (!(kilobytes > 0)) return undefined
    return { at: monotonicMillis(), rssBytes: kilobytes * 1024, descriptors: descriptors.length, loopDelayMillis: await loopDelayAt(metricsPort) }
  } catch {
    return undefined
  }
}

/** The 99th percentile of the delay of its event loop since it was last asked. */
async function loopDelayAt(port: string): Promise<number | undefined> {
  const text = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2_000) }).then((response) => response.text(), () => '')
  const seconds = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1])
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined
}
