import type { Asked } from '#libs/rules/compile.js'
import type { Grant, Grants } from './grants.js'

export type Reason = 'allowed-by-rule' | 'denied-by-rule' | 'no-rule'

/** Allow or deny, and which rule of which role made it so. */
export type Decision =
  | { readonly allowed: boolean; readonly reason: 'allowed-by-rule' | 'denied-by-rule'; readonly grant: Grant; readonly ruleIndex: number }
  | { readonly allowed: false; readonly reason: 'no-rule' }

/** A deny beats every allow; where no rule speaks, the answer is deny. A role counts inside its window only. */
export function decide({ grants, now }: Grants, asked: Asked): Decision {
  const holding = grants.filter((grant) => holdsAt(grant, now))
  return match(holding, 'deny', asked) ?? match(holding, 'allow', asked) ?? { allowed: false, reason: 'no-rule' }
}

/** From its start on, until just before its end. */
function holdsAt({ startTime, endTime }: Grant, now: Date): boolean {
  return (startTime === undefined || startTime <= now) && (endTime === undefined || now < endTime)
}

function match(grants: readonly Grant[], effect: 'allow' | 'deny', asked: Asked): Decision | undefined {
  for (const grant of grants) {
    const rule = grant.rules.find((one) => one.effect === effect && one.matches(asked))
    if (rule) return { allowed: effect === 'allow', reason: effect === 'allow' ? 'allowed-by-rule' : 'denied-by-rule', grant, ruleIndex: rule.index }
  }
  return undefined
}
