import type { z } from 'zod'
import { ConfigError, readConfig } from './env.js'
import { type App, closeOnSignal } from './lifecycle.js'
import { createLog, type Log } from './log.js'
import { ListenError } from './rpc/server.js'

type CreateApp<Config> = (config: Config, log: Log) => App<object>

/**
 * What every main.ts does: environment → app → listen → signal → close. What is wrong with the environment, or a port that
 * is taken, is said on standard error in plain words, and the process exits with 1 before it serves anything.
 */
export async function runService<Schema extends z.ZodObject>(
  service: string,
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
  createApp: CreateApp<z.output<Schema>>,
): Promise<void> {
  let app: App<object> | undefined
  try {
    const config = readConfig(schema, environment)
    const level = environment['LOG_LEVEL'] ?? 'info'
    const log = createLog({ service, level })
    app = createApp(config, log)
    const opened = app
    closeOnSignal(() => opened.close())
    log.info({ ...(await app.listen()) }, `${service} is ready`)
  } catch (error) {
    const expected = error instanceof ConfigError || error instanceof ListenError
    process.stderr.write(`${service} can't start. ${expected ? error.message : String(error instanceof Error ? (error.stack ?? error.message) : error)}\n`)
    await app?.close().catch(() => undefined)
    process.exit(1)
  }
}
