import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

export const HELP = `Usage: npm run soak -- [--minutes N] [--seed S]

Runs the three services, a PostgreSQL and a Redis at a steady rate of logins, checks, changes and revocations, and now and
then kills a service or Redis, empties Redis or cuts connections to PostgreSQL. Ends in a table and one line; exit code 1
when an answer was wrong, when memory or descriptors of a process grow after it has warmed up, when an error has no fault
to explain it, or when too little happened to prove anything.

  --minutes N   how long, 0.2 or more (default: 15); what grows shows from 5 on
  --seed S      the same choices as in the run that printed it (default: a new one)
  --help        this
`

export type Options = { readonly help: boolean; readonly millis: number; readonly seed: string }

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function optionsFrom(args: readonly string[]): Options {
  const { help = false, minutes = '15', seed = String(randomInt(1_000_000)) } = parsed(args)
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
