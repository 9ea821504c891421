import type { Moment } from '#libs/clock.js'
import { explain } from '../failure.js'
import type { Report } from './report.js'
import { FreshToken, type Holding, type Token } from './fresh-token.js'
import { setbackOf } from './setback.js'
import type { TokenSource } from './token-source.js'

/** Somewhere that a token is put; it throws where it can't be. */
export type Sink = {
  readonly name: string
  /** Puts the token there, or takes away what is there; called again and again with the same. */
  show(token: Token | undefined, now: Moment): void
}

/** What whoever asks is told. */
export type View = {
  readonly token: Token | undefined
  readonly remainingMillis: number
  readonly isReady: boolean
  /** Why not, in a word. */
  readonly reason: string | undefined
  readonly retryInMillis: number
}

export type Keeper = {
  /** Does what is to be done at this moment: a look costs nothing, and no two attempts run side by side. */
  readonly look: () => void
  /** At the next look a login, and no renewal. */
  readonly hurry: () => void
  readonly view: () => View
  /** No attempt and no change of a sink begins any more. */
  readonly stop: () => void
  /** Resolves when no attempt is under way. */
  readonly settled: () => Promise<void>
  /** What was obtained and lives. */
  readonly alive: () => Token[]
}

type Outside = {
  readonly source: TokenSource
  readonly sinks: readonly Sink[]
  readonly now: () => Moment
  readonly chance: () => number
  readonly report: Report
}

const NO_TOKEN = 'NO_TOKEN'
const NOT_WRITTEN = 'TOKEN_NOT_WRITTEN'

/** Keeps one token fresh, and the sinks in step with it. */
export function keepToken({ source, sinks, now, chance, report }: Outside): Keeper {
  const fresh = new FreshToken(chance)
  const showing = inStep(sinks, report)
  let underWay: Promise<void> = Promise.resolve()
  let reason: string | undefined
  let isStopped = false

  const showAll = (moment: Moment) => {
    if (!isStopped) showing.show(fresh.usable(moment), moment)
  }
  const obtain = async (held: Holding | undefined): Promise<void> => {
    try {
      const token = await source.obtain(held)
      fresh.succeeded(token, now())
      reason = undefined
      // Who hears of it finds it there.
      showAll(now())
      report.obtained(token)
    } catch (error) {
      const moment = now()
      fresh.failed(setbackOf(error), moment)
      reason = explain(error).description.reason
      report.failed(error, { retryInMillis: fresh.dueInMillis(moment), remainingMillis: fresh.usable(moment) ? fresh.remainingMillis(moment) : 0, isRefused: fresh.isRefused })
    }
  }
  return {
    look: () => {
      const moment = now()
      showAll(moment)
      if (isStopped || !fresh.isDue(moment)) return
      const held = fresh.renewable(moment)
      fresh.begin(moment)
      underWay = obtain(held)
    },
    hurry: () => fresh.hurry(),
    view: () => viewOf(fresh, now(), { reason, isShown: showing.isShown() }),
    stop: () => {
      isStopped = true
    },
    settled: () => underWay,
    alive: () => fresh.alive(now()),
  }
}

function viewOf(fresh: FreshToken, moment: Moment, { reason = NO_TOKEN, isShown }: { readonly reason: string | undefined; readonly isShown: boolean }): View {
  const token = fresh.usable(moment)
  const isGood = token !== undefined && !fresh.isRefused
  const why = isGood ? NOT_WRITTEN : reason
  return { token, isReady: isGood && isShown, reason: isGood && isShown ? undefined : why, remainingMillis: fresh.remainingMillis(moment), retryInMillis: fresh.dueInMillis(moment) }
}

/** A sink in trouble is tried again at every look, and said once. */
function inStep(sinks: readonly Sink[], report: Report) {
  const problems = new Map<Sink, string>()
  return {
    show: (token: Token | undefined, moment: Moment) => {
      for (const sink of sinks) {
        const problem = problemOf(() => sink.show(token, moment))
        if (problem !== undefined && problem !== problems.get(sink)) report.sinkFailed(sink.name, problem)
        if (problem === undefined) problems.delete(sink)
        else problems.set(sink, problem)
      }
    },
    isShown: () => problems.size === 0,
  }
}

/** Undefined where there is none. */
export function problemOf(work: () => void): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    // What the system says names a temporary file, another each time.
    if (error instanceof Error && 'code' in error) return String(error.code)
    return error instanceof Error ? error.message : String(error)
  }
}
