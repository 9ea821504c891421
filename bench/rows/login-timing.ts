import { randomInt } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { forwardedFrom } from '../../test/support/gateway-callers.js'
import { type Outcome, rawCallsTo, reasonOf } from '../../test/support/raw-calls.js'
import type { Credentials } from '../../test/support/system.js'
import { toldBy } from '../../test/support/told.js'
import { type Kind, KINDS, type RefusedLogins, refusedLogins } from '../refused-logins.js'
import type { Probe, Values } from '../row.js'
import { guessedRight, median } from '../statistics.js'

/** So a whole run has 2 100 calls of each kind. */
const ROUNDS_PER_SAMPLE = 7
const WARM_UP_ROUNDS_PER_SAMPLE = 2

/** One more failure from there for one client would be told to wait. */
const ROUNDS_PER_SOURCE = 3

type Login = (credentials: Credentials, source: string) => Promise<Outcome>
type Timings = Readonly<Record<Kind, number[]>>

/** What a caller can tell by the clock of why a login was refused: every kind once in a round, in any order, one call at a time. */
export const loginTiming: Probe = {
  name: 'login.timing',
  bars: [{ says: 'largest difference of medians ≤ 5 %', isMet: ({ largestDifferencePercent = NaN }) => largestDifferencePercent <= 5 }],
  measure: async (system, { samples }) => {
    const calls = rawCallsTo(system.addresses.exchange)
    const login: Login = ({ clientId, clientSecret }, source) =>
      calls.call(Exchange.login.path, Exchange.login.requestSerialize({ proof: { $case: 'universalAuth', value: { clientId, clientSecret } } }), forwardedFrom(source, system.gatewaySecret))
    try {
      const logins = await refusedLogins(system)
      const warmUpRounds = samples * WARM_UP_ROUNDS_PER_SAMPLE
      await timed(login, logins, { from: 0, to: warmUpRounds })
      return valuesOf(await timed(login, logins, { from: warmUpRounds, to: warmUpRounds + samples * ROUNDS_PER_SAMPLE }))
    } finally {
      calls.close()
    }
  },
}

async function timed(login: Login, logins: RefusedLogins, { from, to }: { from: number; to: number }): Promise<Timings> {
  const timings: Timings = { unknownClient: [], unknownSecret: [], wrong: [], expired: [], revoked: [], spent: [], disabled: [] }
  let first: unknown
  for (let round = from; round < to; round += 1) {
    const source = addressOf(Math.floor(round / ROUNDS_PER_SOURCE))
    for (const kind of shuffled(KINDS)) {
      const credentials = logins[kind]()
      const asked = performance.now()
      const outcome = await login(credentials, source)
      timings[kind].push((performance.now() - asked) * 1_000)
      if (reasonOf(outcome) !== 'CREDENTIALS_REJECTED') throw new Error(`a login of kind ${kind} ended with ${reasonOf(outcome) ?? outcome.details}`)
      first ??= toldBy(outcome)
      if (!isDeepStrictEqual(toldBy(outcome), first)) throw new Error(`a login of kind ${kind} was answered otherwise than the others`)
    }
  }
  return timings
}

const addressOf = (place: number): string => `10.0.${Math.floor(place / 256)}.${place % 256}`

function shuffled<T>(values: readonly T[]): T[] {
  return values.map((value) => ({ value, place: randomInt(2 ** 47) })).sort((one, other) => one.place - other.place).map(({ value }) => value)
}

function valuesOf(timings: Timings): Values {
  const all = KINDS.map((kind) => ({ kind, micros: timings[kind], middle: median(timings[kind]) }))
  // Whether its identity is disabled is told by the clock to nobody but who holds a secret that is good otherwise: shown, not judged.
  const judged = all.filter(({ kind }) => kind !== 'disabled')
  const middles = judged.map(({ middle }) => middle)
  const largestDifferenceMicros = Math.max(...middles) - Math.min(...middles)
  const pairs = judged.flatMap((one, place) => judged.slice(place + 1).map((other) => guessedRight(one.micros, other.micros)))
  return {
    ...Object.fromEntries(all.map(({ kind, middle }) => [`${kind}Micros`, middle])),
    largestDifferenceMicros,
    largestDifferencePercent: (largestDifferenceMicros / median(middles)) * 100,
    guessedRightPercent: Math.max(...pairs) * 100,
  }
}
