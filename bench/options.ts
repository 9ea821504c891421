import { parseArgs } from 'node:util'
import { IN_FLIGHT } from './in-flight.js'
import type { Plan } from './measure.js'
import type { Probe, Row } from './row.js'
import { checkCold } from './rows/check-cold.js'
import { checkExtAuthz } from './rows/check-ext-authz.js'
import { checkRedis } from './rows/check-redis.js'
import { checkWarm } from './rows/check-warm.js'
import { echo } from './rows/echo.js'
import { envoyChecked } from './rows/envoy-checked.js'
import { envoyDirect } from './rows/envoy-direct.js'
import { freshnessPull } from './rows/freshness-pull.js'
import { sidecar } from './rows/sidecar.js'
import { loginFlood } from './rows/login-flood.js'
import { loginSingle } from './rows/login-single.js'
import { loginTiming } from './rows/login-timing.js'
import { loginWarm } from './rows/login-warm.js'
import { oidcProviderIntrospect, oidcProviderToken } from './rows/oidc-provider.js'
import { revocation } from './rows/revocation.js'
import { rulesProbes } from './rows/rules.js'
import { introspect, renew } from './rows/tokens.js'

/** Every row that there is, in the order of the table. The first is what the others are compared with. */
export const ROWS: readonly [Row, ...Row[]] = [echo, checkWarm, checkExtAuthz, checkRedis, checkCold, loginWarm, loginSingle, oidcProviderToken, renew, introspect, oidcProviderIntrospect, envoyDirect, envoyChecked]

/** What is measured after them, one at a time. */
export const PROBES: readonly Probe[] = [revocation, loginFlood, loginTiming, freshnessPull, sidecar, ...rulesProbes]

const NAMES = [...ROWS, ...PROBES].map(({ name }) => name)

export const HELP = `Usage: npm run bench -- [--quick] [--rounds N] [--source] [ROW ...]

Measures what calls cost: CPU time of the serving process per call, with ${IN_FLIGHT} calls in flight. Prints a table and writes
bench/latest.json. Each figure is the median of several rounds; the rows take turns within a round.

  ROW          measure only these, and echo: ${NAMES.join(', ')}
               those of Envoy are left out, and said to be, where it can't be had
  --quick      fewer and shorter rounds: about a minute in all
  --rounds N   so many rounds (default: 7, with --quick 3)
  --source     run the services from TypeScript, for work on the benchmark itself: the figures are then worth nothing
  --help       this

A quiet machine matters: nothing else should run. A missed bar is no failure.
`

export type Options = { readonly help: boolean; readonly from: 'dist' | 'source'; readonly rows: readonly Row[]; readonly probes: readonly Probe[]; readonly plan: Plan }

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const FULL: Plan = { rounds: 7, inFlight: IN_FLIGHT, warmUp: { calls: 12_000, millis: 15_000 }, phaseMillis: 2_500, probes: { samples: 300, millis: 10_000, restMillis: 30_000 } }
const QUICK: Plan = { rounds: 3, inFlight: IN_FLIGHT, warmUp: { calls: 6_000, millis: 4_000 }, phaseMillis: 1_200, probes: { samples: 60, millis: 3_000, restMillis: 30_000 } }

export function optionsFrom(args: readonly string[]): Options {
  const { values, positionals } = parsed(args)
  const { help = false, quick = false, rounds, source = false } = values
  const unknown = positionals.filter((name) => !NAMES.includes(name))
  if (unknown.length > 0) throw new UsageError(`There is no row ${unknown.join(', ')}; there are ${NAMES.join(', ')}.`)
  if (rounds !== undefined && !/^[1-9]\d{0,3}$/.test(rounds)) throw new UsageError('--rounds must be a whole number from 1.')
  const [floor, ...others] = ROWS
  const isMeant = ({ name }: { name: string }) => positionals.length === 0 || positionals.includes(name)
  const plan = quick ? QUICK : FULL
  return {
    help,
    from: source ? 'source' : 'dist',
    rows: [floor, ...others.filter(isMeant)],
    probes: PROBES.filter(isMeant),
    plan: rounds === undefined ? plan : { ...plan, rounds: Number(rounds) },
  }
}

function parsed(args: readonly string[]) {
  const boolean = { type: 'boolean' } as const
  try {
    const options = { help: { ...boolean, short: 'h' }, quick: boolean, source: boolean, rounds: { type: 'string' } } as const
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
