import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** Processes that work in the directory or were given something in it: number and command line. */
export async function processesIn(directory: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
    const workplace = await readlink(`/proc/${pid}/cwd`).catch(() => '')
    if (command.includes(directory) || workplace.startsWith(directory)) found.push(`${pid} ${command}`)
  }
  return found
}

/** A zombie isn't: where nobody asks after the children of a process that was killed, they stay as such. */
export async function isRunning(pid: number): Promise<boolean> {
  return /^State:\s+[^ZX]/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))
}

/** Returns when the condition holds; throws when it does not within ten seconds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const start = performance.now(); performance.now() < start + 10_000; await sleep(10)) {
    if (await condition()) return
  }
  throw new Error('waited for 10 s in vain')
}
