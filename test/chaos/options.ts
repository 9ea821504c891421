import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

export const HELP = `Usage: npm run chaos -- --minutes N [--seed S]

Runs three authorization-checks, two registries and two exchanges on a PostgreSQL and a Redis of their own, changes what
identities may do by every method that there is, breaks processes, connections and data the while, and asks all the time.
Ends in one line with what was counted; exit code 1 when an answer was wrong, when a fault was not recovered from within
5 seconds, when something acknowledged was lost, or when too little happened to prove anything.

  --minutes N   how long, 0.2 or more (default: 5)
  --seed S      the same choices as in the run that printed it (default: a new one)
  --help        this

test/chaos/README.md says how to read the last line.
`

export type Options = { readonly help: boolean; readonly millis: number; readonly seed: string }

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function optionsFrom(args: readonly string[]): Options {
  const { help = false, minutes = '5', seed = String(randomInt(1_000_000)) } = parsed(args)
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
