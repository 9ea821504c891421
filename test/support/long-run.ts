import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { removeAbandoned } from './scratch-directory.js'

// What `npm run chaos` and `npm run soak` are as programs: how long, the same choices again by a seed, and an end in order on
// a signal. Exit code 0 where nothing was found, 1 where something was, 2 for wrong usage.

export type LongRun = { readonly millis: number; readonly seed: string; readonly say: (line: string) => void; readonly signal: AbortSignal }

type Program = {
  readonly help: string
  readonly standardMinutes: number
  /** Prints what it found; answers whether all is well. */
  readonly run: (given: LongRun) => Promise<boolean>
}

class UsageError extends Error {
  override readonly name = 'UsageError'
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

export function runProgram({ help, standardMinutes, run }: Program): void {
  const main = async (): Promise<number> => {
    const options = optionsFrom(process.argv.slice(2), standardMinutes)
    if (options.help) {
      process.stdout.write(help)
      return 0
    }
    await removeAbandoned()
    say(`Seed ${options.seed}`)
    return (await run({ ...options, say, signal: endOnSignal() })) ? 0 : 1
  }
  main().then(
    (code) => process.exit(code),
    (error: unknown) => {
      if (error instanceof UsageError) {
        say(`${error.message}\n\n${help}`)
        process.exit(2)
      }
      say(`The run failed. ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      process.exit(1)
    },
  )
}

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

function optionsFrom(args: readonly string[], standardMinutes: number) {
  const { help = false, minutes = String(standardMinutes), seed = String(randomInt(1_000_000)) } = parsed(args)
  if (!/^\d{1,4}(\.\d{1,3})?$/.test(minutes) || Number(minutes) < 0.2) throw new UsageError('--minutes must be a number from 0.2.')
  return { help, millis: Number(minutes) * 60_000, seed }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' }, minutes: { type: 'string' }, seed: { type: 'string' } } }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
