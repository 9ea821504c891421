import { rmSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stopLeftOverRedis } from '../../deploy/local/embedded-redis.js'
import { stopLeftOver } from '../../deploy/local/postgres-data.js'

const PREFIX = 'countersign-test-'

// Time for a database that is ended at the same moment to let go of its files.
const thoroughly = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 } as const

export type ScratchDirectory = { readonly path: string; remove(): Promise<void> }

const inUse = new Set<string>()

/** A directory that goes when this process does; others may pass through it, as a database's user has to. */
export async function scratchDirectory(): Promise<ScratchDirectory> {
  const path = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  await chmod(path, 0o711)
  if (inUse.size === 0) process.on('exit', removeAtExit)
  inUse.add(path)
  endWithVitest()
  return {
    path,
    async remove() {
      await stopServers(path)
      await rm(path, thoroughly)
      inUse.delete(path)
      if (inUse.size === 0) process.off('exit', removeAtExit)
    },
  }
}

/** Removes what runs that were killed outright have left, with the servers that still work in it. */
export async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0])
    if (!name.startsWith(PREFIX) || isAlive(pid)) continue
    const path = join(tmpdir(), name)
    await stopServers(path)
    await rm(path, thoroughly).catch(() => undefined)
  }
}

async function stopServers(path: string): Promise<void> {
  for (const inside of await readdir(path).catch(() => [])) {
    await stopLeftOver(join(path, inside), () => undefined)
    await stopLeftOverRedis(join(path, inside), () => undefined)
  }
}

/**
 * Lets a test worker end when vitest's own process does, however that ends. That process exits in order when a signal
 * comes; a worker would not: nobody tells it, and process.exit is forbidden in it.
 */
export function endWithVitest(): void {
  if (process.channel === undefined || process.listeners('disconnect').includes(endWorker)) return
  process.on('disconnect', endWorker)
  process.on('SIGINT', endWorker)
  process.on('SIGTERM', endWorker)
}

function endWorker(): void {
  process.emit('exit', 1)
  process.kill(process.pid, 'SIGKILL')
}

function removeAtExit(): void {
  for (const path of inUse) {
    try {
      rmSync(path, thoroughly)
    } catch {
      // The next run removes it.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
