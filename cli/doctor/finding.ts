import { messageOf } from '#libs/causes.js'

// What `doctor` finds: what is seen, and for whatever is not as it should be, what to do.

export type Outcome = 'ok' | 'warning' | 'failure' | 'not-looked-at'

export type Finding = {
  readonly check: string
  readonly outcome: Outcome
  readonly seen: string
  /** What to do; there for everything but `ok`. */
  readonly advice?: string
}

type Flaw = { readonly seen: string; readonly advice: string }

export const ok = (check: string, seen: string): Finding => ({ check, outcome: 'ok', seen })
export const warning = (check: string, flaw: Flaw): Finding => ({ check, outcome: 'warning', ...flaw })
export const failure = (check: string, flaw: Flaw): Finding => ({ check, outcome: 'failure', ...flaw })
/** What can't be seen from here, and what would let it be seen. */
export const notLookedAt = (check: string, flaw: Flaw): Finding => ({ check, outcome: 'not-looked-at', ...flaw })

/** Of its message: a finding has one line. */
export const firstLineOf = (error: unknown): string => messageOf(error).split('\n')[0] ?? ''

const SKEW_WARNING_MILLIS = 1_000
const SKEW_FAILURE_MILLIS = 30_000

/** One reading of somebody else's clock, between two of ours, in milliseconds. */
export type ClockReading = { readonly asked: number; readonly theirs: number; readonly answered: number }

/** Their clock against this machine's: what is beyond the time that the answer took is skew. */
export function skewFinding(check: string, whose: string, { asked, theirs, answered }: ClockReading): Finding {
  const skew = theirs < asked ? theirs - asked : Math.max(0, theirs - answered)
  const seen = skew === 0 ? `this machine and ${whose} have the same time, as far as ${Math.ceil(answered - asked)} ms let tell` : `this machine is ${seconds(Math.abs(skew))} s ${skew > 0 ? 'behind' : 'ahead of'} ${whose}`
  const advice = 'set both by NTP: expiry goes by the database\'s clock, certificates and whoever verifies tokens by themselves go by their own'
  if (Math.abs(skew) < SKEW_WARNING_MILLIS) return ok(check, seen)
  return (Math.abs(skew) < SKEW_FAILURE_MILLIS ? warning : failure)(check, { seen, advice })
}

const seconds = (millis: number): string => (millis / 1000).toFixed(1)
