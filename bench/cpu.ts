import { readdir, readFile } from 'node:fs/promises'

// Linux counts the nanoseconds that each thread has run. The counters in /proc/PID/stat go in steps of 10 ms, and
// process.cpuUsage can't be asked of another process.

/** Processes whose CPU time is one figure. */
export type Part = { readonly name: string; pids(): Promise<readonly number[]> }

/** The CPU time that each process has used so far, all its threads, in microseconds. */
export type CpuTimes = ReadonlyMap<number, number>

export async function cpuTimes(pids: readonly number[]): Promise<CpuTimes> {
  return new Map(await Promise.all(pids.map(async (pid) => [pid, await microsOf(pid)] as const)))
}

/** What the processes have used since; one that has ended meanwhile counts nothing. */
export function cpuSince(before: CpuTimes, after: CpuTimes): number {
  let micros = 0
  for (const [pid, time] of after) micros += Math.max(0, time - (before.get(pid) ?? 0))
  return micros
}

/** A process and its direct children. */
export async function withChildren(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return [pid, ...children.split(' ').filter(Boolean).map(Number)]
}

async function microsOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const lines = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '')))
  return lines.reduce((sum, line) => sum + Number(line.split(' ')[0]) / 1000, 0)
}
