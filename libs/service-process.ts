import type { z } from 'zod'
import { withCauses } from './causes.js'
import { DomainError } from './domain-error.js'
import { ConfigError, logLevelIn, readConfig } from './env.js'
import { type App, closeOnSignal } from './lifecycle.js'
import { createLog, type Log } from './log.js'
import { ListenError } from './rpc/server.js'

type Service<Schema extends z.ZodObject> = {
  readonly name: string
  readonly schema: Schema
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly createApp: (config: z.output<Schema>, log: Log) => App<object>
}

/**
 * What every main.ts does: environment → app → listen → signal → close. What is wrong with the environment, or a port that
 * is taken, is said on standard error in plain words, and the process exits with 1 before it serves anything.
 */
export async function runService<Schema extends z.ZodObject>({ name, schema, environment, createApp }: Service<Schema>): Promise<void> {
  let app: App<object> | undefined
  try {
    const config = readConfig(schema, environment)
    const log = createLog({ service: name, level: logLevelIn(environment) })
    app = createApp(config, log)
    const opened = app
    closeOnSignal(() => opened.close())
    log.info({ ...(await app.listen()) }, `${name} is ready`)
  } catch (error) {
    process.stderr.write(`${name} can't start. ${wordsOf(error)}\n`)
    await app?.close().catch(() => undefined)
    process.exit(1)
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof ConfigError || error instanceof ListenError) return error.message
  // A store or a peer that could not be reached: where in the program that was noticed says nothing.
  if (error instanceof DomainError) return withCauses(error)
  return String(error instanceof Error ? (error.stack ?? error.message) : error)
}
