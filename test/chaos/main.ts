import { removeAbandoned } from '../support/scratch-directory.js'
import { HELP, type Options, optionsFrom, UsageError } from './options.js'
import { runChaos } from './run.js'

// `npm run chaos`: changes and asks while everything breaks, and finds whatever should not have been answered.

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const GROUPS = 12
const ASKERS = 14

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

async function chaos({ seed, millis }: Options): Promise<number> {
  await removeAbandoned()
  say(`Seed ${seed}`)
  const signal = endOnSignal()
  const { line, stories, missing } = await runChaos({ seed, millis, groups: GROUPS, askers: ASKERS, from: 'dist', say, signal })
  for (const story of stories) say(`\n${story}`)
  process.stdout.write(`${line}${missing.length === 0 ? '' : `; proved nothing: ${missing.join(', ')}`}\n`)
  return stories.length > 0 || missing.length > 0 ? 1 : 0
}

async function main(): Promise<number> {
  const options = optionsFrom(process.argv.slice(2))
  if (!options.help) return chaos(options)
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
