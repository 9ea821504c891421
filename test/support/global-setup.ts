import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { Closing } from '#libs/lifecycle.js'
import { startPostgres } from '../../deploy/local/embedded-postgres.js'
import { startRedis } from '../../deploy/local/embedded-redis.js'
import { offerToStarts, redisForTests } from './redis.js'
import { removeAbandoned, scratchDirectory } from './scratch-directory.js'
import { makeTemplate } from './template-database.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's, of the cluster that all tests of a run share. */
    postgresUrl: string
    /** Of the Redis that all tests of a run share: every key names an entity by an id of its own, so they don't meet. */
    redisUrl: string
  }
}

/** One throw-away cluster and one Redis for the whole run; a signal ends vitest's process, and its exit ends both. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned()
  const closing = new Closing()
  closing.add(removeAbandoned)
  const scratch = await scratchDirectory()
  closing.add(() => scratch.remove())
  const lines: string[] = []
  const log = (line: string) => void lines.push(line)
  try {
    const program = await redisForTests()
    offerToStarts(program)
    const redis = await startRedis({ program, dataDir: join(scratch.path, 'redis'), log })
    closing.add(() => redis.stop())
    const password = randomBytes(16).toString('base64url')
    const postgres = await startPostgres({ dataDir: join(scratch.path, 'data'), port: 0, password, durable: false, log })
    closing.add(() => postgres.stop())
    await makeTemplate(postgres.superuserUrl)
    project.provide('postgresUrl', postgres.superuserUrl)
    project.provide('redisUrl', redis.url)
  } catch (error) {
    process.stderr.write(`${lines.slice(-20).join('\n')}\n`)
    await closing.close()
    throw error
  }
  return () => closing.close()
}
