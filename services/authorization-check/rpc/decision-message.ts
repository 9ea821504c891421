import { type CheckResponse, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Decision, Reason } from '../domain/decide.js'
import type { Grants, TokenFacts } from '../domain/grants.js'

const reasons: Record<Reason, DecisionReason> = {
  'allowed-by-rule': DecisionReason.ALLOWED_BY_RULE,
  'denied-by-rule': DecisionReason.DENIED_BY_RULE,
  'no-rule': DecisionReason.NO_RULE,
}

type About = { readonly token: TokenFacts; readonly held: Grants; readonly decisionId: string }

export function toDecisionMessage(decision: Decision, { token, held, decisionId }: About): CheckResponse {
  const { identityId, organizationId, tokenId, expireTime } = token
  const rule = decision.reason === 'no-rule' ? undefined : { roleId: decision.grant.roleId, role: decision.grant.role, ruleIndex: decision.ruleIndex }
  return {
    allowed: decision.allowed,
    reason: reasons[decision.reason],
    rule,
    identityId,
    identityName: held.identityName,
    organizationId,
    tokenId,
    tokenExpireTime: expireTime,
    decisionId,
  }
}
