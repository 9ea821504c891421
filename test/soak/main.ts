import { removeAbandoned } from '../support/scratch-directory.js'
import { HELP, type Options, optionsFrom, UsageError } from './options.js'
import { report } from './report.js'
import { runSoak } from './run.js'

// `npm run soak`: a long time of ordinary work and ordinary trouble.

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** On a signal it ends in order, with what it has found so far; on a second one at once. */
function endOnSignal(): AbortSignal {
  const ending = new AbortController()
  const onSignal = () => {
    if (ending.signal.aborted) process.exit(130)
    say('Ending …')
    ending.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  return ending.signal
}

async function soak({ seed, millis }: Options): Promise<number> {
  await removeAbandoned()
  say(`Seed ${seed}`)
  const run = await runSoak({ seed, millis, from: 'dist', say, signal: endOnSignal() })
  process.stdout.write(`${report(run)}\n`)
  return run.verdict.faults.length > 0 ? 1 : 0
}

async function main(): Promise<number> {
  const options = optionsFrom(process.argv.slice(2))
  if (!options.help) return soak(options)
  process.stdout.write(HELP)
  return 0
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof UsageError) {
      say(`${error.message}\n\n${HELP}`)
      process.exit(2)
    }
    say(`The run failed. ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exit(1)
  },
)
