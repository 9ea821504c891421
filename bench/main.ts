import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Closing } from '#libs/lifecycle.js'
import { startPostgres } from '../deploy/local/embedded-postgres.js'
import { prepareServiceDatabase, urlOf } from '../deploy/local/service-databases.js'
import { ownRedis } from '../test/support/redis.js'
import { removeAbandoned, scratchDirectory } from '../test/support/scratch-directory.js'
import { measurable, measure, measureProbes } from './measure.js'
import { IN_FLIGHT } from './in-flight.js'
import { HELP, type Options, optionsFrom, UsageError } from './options.js'
import { loadNow, published, report } from './report.js'
import { type BenchDatabase, startBenchSystem } from './system.js'

// `npm run bench`: the services as they are deployed, on a PostgreSQL that makes everything durable.

const LATEST = new URL('latest.json', import.meta.url)

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function startDatabase(closing: Closing): Promise<BenchDatabase> {
  await removeAbandoned()
  const scratch = await scratchDirectory()
  closing.add(() => scratch.remove())
  const password = randomBytes(16).toString('base64url')
  const postgres = await startPostgres({ dataDir: join(scratch.path, 'data'), port: 0, password, durable: true, log: () => undefined })
  closing.add(() => postgres.stop())
  const redis = await ownRedis()
  closing.add(() => redis.close())
  const database = 'countersign'
  const [registry, exchange] = [{ role: 'registry', password, schema: 'registry' }, { role: 'exchange', password, schema: 'exchange' }]
  await prepareServiceDatabase(postgres.superuserUrl, { database, roles: [registry, exchange] })
  return {
    registryUrl: urlOf(postgres.superuserUrl, { database, ...registry }),
    exchangeUrl: urlOf(postgres.superuserUrl, { database, ...exchange }),
    redisUrl: redis.url,
    postgresPid: postgres.pid,
  }
}

async function bench({ from, rows: wanted, probes, plan }: Options, closing: Closing): Promise<void> {
  const before = loadNow()
  const { rows, leftOut } = await measurable(wanted)
  say('Starting PostgreSQL, Redis and the services …')
  const database = await startDatabase(closing)
  const system = await startBenchSystem({ ...database, from, workloads: IN_FLIGHT })
  closing.add(() => system.close())
  const measured = await measure(system, rows, plan, say)
  const run = { measured, leftOut, probed: await measureProbes(system, probes, plan.probes, say) }
  const result = published(run, { before, after: loadNow() })
  await writeFile(LATEST, `${JSON.stringify(result, undefined, 2)}\n`)
  process.stdout.write(`\n${report(run, result)}\n`)
}

/** On a signal everything is stopped in order; on a second one, or where that fails, at once. */
function stopOnSignal(closing: Closing): () => boolean {
  let stopping = false
  const onSignal = () => {
    if (stopping) process.exit(130)
    stopping = true
    say('Stopping …')
    closing.close().then(() => process.exit(130), () => process.exit(130))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  return () => stopping
}

async function main(): Promise<void> {
  const options = optionsFrom(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(HELP)
    return
  }
  const closing = new Closing()
  const isStopping = stopOnSignal(closing)
  try {
    await bench(options, closing)
  } catch (error) {
    // What is being stopped fails, and nobody wants to know.
    if (!isStopping()) throw error
  } finally {
    if (!isStopping()) await closing.close()
  }
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) {
    say(`${error.message}\n\n${HELP}`)
    process.exit(2)
  }
  say(`The benchmark failed. ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exit(1)
})
