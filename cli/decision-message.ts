import { type CheckResponse, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'

const reasons: Readonly<Record<DecisionReason, string>> = {
  [DecisionReason.UNSPECIFIED]: 'unspecified',
  [DecisionReason.ALLOWED_BY_RULE]: 'allowed-by-rule',
  [DecisionReason.DENIED_BY_RULE]: 'denied-by-rule',
  [DecisionReason.NO_RULE]: 'no-rule',
  [DecisionReason.SOURCE_NOT_TRUSTED]: 'source-not-trusted',
  [DecisionReason.UNRECOGNIZED]: 'unrecognized',
}

export const decisionDocument = (decision: CheckResponse) => ({ ...decision, reason: reasons[decision.reason] })

/** Why it came out so, in one sentence. */
export function becauseOf({ reason, rule, identityName }: CheckResponse, action: string, resource: string): string {
  if (rule) return `rule ${rule.ruleIndex} of role ${rule.role} ${reason === DecisionReason.DENIED_BY_RULE ? 'denies' : 'allows'} it`
  if (reason === DecisionReason.SOURCE_NOT_TRUSTED) return 'the token may not be used from this address'
  return `no role that ${identityName} holds here says anything about ${action} on ${resource}`
}
