import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Postgres, startPostgres } from '../../deploy/local/embedded-postgres.js'
import { type DatabaseUrls, urlsOf } from './postgres.js'
import { scratchDirectory } from './scratch-directory.js'
import { migratedDatabase } from './template-database.js'
import { stablePort } from './stable-port.js'

export type OwnPostgres = DatabaseUrls & {
  /** Ends the server as a crash would, and returns when it is gone. */
  kill9(): Promise<void>
  stop(): Promise<void>
  /** The same data on the same port; stops the server first if it runs. */
  restart(): Promise<void>
  /** Every process of the server stands still: connections stay open and nothing answers. */
  pause(): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}

/** A durable PostgreSQL with the tables of both services, for a test that does to it what it may not do to the shared one. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const scratch = await scratchDirectory()
  const settings = { dataDir: join(scratch.path, 'data'), port: await stablePort(), password: randomBytes(16).toString('base64url') }
  const start = () => startPostgres({ ...settings, durable: true, log: () => undefined })
  let server = await start()
  await migratedDatabase(server.superuserUrl, 'countersign')
  let paused: number[] = []
  const resume = () => {
    for (const pid of paused.splice(0).reverse()) signal(pid, 'SIGCONT')
    return Promise.resolve()
  }
  const stop = async () => {
    await resume()
    await server.stop()
  }
  return {
    ...urlsOf(server.superuserUrl, 'countersign'),
    async kill9() {
      server.kill('SIGKILL')
      await resume()
      await server.exited
    },
    stop,
    async restart() {
      await stop()
      server = await start()
    },
    async pause() {
      paused = await standStill(server)
    },
    resume,
    async close() {
      await stop()
      await scratch.remove()
    },
  }
}

// The postmaster first, so that no process is added to those that are then stopped.
async function standStill(server: Postgres): Promise<number[]> {
  server.kill('SIGSTOP')
  const children = (await readFile(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')).trim().split(' ').filter(Boolean).map(Number)
  for (const pid of children) signal(pid, 'SIGSTOP')
  return [server.pid, ...children]
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // A process of the server that has ended in the meantime is as still as it can be.
  }
}
