import { rmSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stopLeftOver } from '../../deploy/local/postgres-data.js'

const PREFIX = 'countersign-test-'

// Time for a database that is killed at the same moment to let go of its files.
const thoroughly = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const

export type ScratchDirectory = { readonly path: string; remove(): Promise<void> }

/** A directory that goes when this process does; others may pass through it, as a database's user has to. */
export async function scratchDirectory(): Promise<ScratchDirectory> {
  const path = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  await chmod(path, 0o711)
  const removeAtExit = () => rmSync(path, thoroughly)
  process.on('exit', removeAtExit)
  exitOnSignals()
  return {
    path,
    async remove() {
      process.off('exit', removeAtExit)
      await rm(path, thoroughly)
    },
  }
}

/** Removes what runs that were killed outright have left, with the databases that still serve it. */
export async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0])
    if (!name.startsWith(PREFIX) || isAlive(pid)) continue
    const path = join(tmpdir(), name)
    for (const inside of await readdir(path).catch(() => [])) await stopLeftOver(join(path, inside), () => undefined)
    await rm(path, thoroughly).catch(() => undefined)
  }
}

// A signal that nobody handles ends a process without its `exit` event. vitest's own process handles them.
function exitOnSignals(): void {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(code))
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
