import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startPostgres } from '../../deploy/local/embedded-postgres.js'
import { removeAbandoned, scratchDirectory } from './scratch-directory.js'
import { makeTemplate } from './template-database.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's, of the cluster that all tests of a run share. */
    postgresUrl: string
  }
}

/** One throw-away cluster for the whole run; a signal ends vitest's process, and its exit ends the cluster. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned()
  const scratch = await scratchDirectory()
  const lines: string[] = []
  const password = randomBytes(16).toString('base64url')
  const postgres = await startPostgres({ dataDir: join(scratch.path, 'data'), port: 0, password, durable: false, log: (line) => lines.push(line) })
  const teardown = async () => {
    await postgres.stop()
    await scratch.remove()
    await removeAbandoned()
  }
  try {
    await makeTemplate(postgres.superuserUrl)
  } catch (error) {
    process.stderr.write(`${lines.slice(-20).join('\n')}\n`)
    await teardown()
    throw error
  }
  project.provide('postgresUrl', postgres.superuserUrl)
  return teardown
}
