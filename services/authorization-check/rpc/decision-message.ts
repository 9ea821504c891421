import type { Follower } from '#libs/freshness/follow.js'
import { revisionText, SHARD } from '#libs/freshness/revision.js'
import { type CheckResponse, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Decision, Evidence, Reason } from '../domain/decide.js'
import type { Feeds } from './gather.js'

const reasons: Record<Reason, DecisionReason> = {
  'allowed-by-rule': DecisionReason.ALLOWED_BY_RULE,
  'denied-by-rule': DecisionReason.DENIED_BY_RULE,
  'no-rule': DecisionReason.NO_RULE,
}

type About = { readonly evidence: Evidence; readonly feeds: Feeds; readonly decisionId: string }

export function toDecisionMessage(decision: Decision, { evidence: { token, grants }, feeds, decisionId }: About): CheckResponse {
  const { identityId, organizationId, tokenId, expireMillis } = token
  const rule = decision.reason === 'no-rule' ? undefined : { roleId: decision.role.roleId, role: decision.role.role, ruleIndex: decision.ruleIndex }
  const { registry, exchange } = feeds
  return {
    allowed: decision.allowed,
    reason: reasons[decision.reason],
    rule,
    identityId,
    identityName: grants.identityName,
    organizationId,
    tokenId,
    tokenExpireTime: new Date(expireMillis),
    decisionId,
    revision: revisionText([positionOf(registry), positionOf(exchange)]),
    stalenessBoundMillis: Math.max(registry.lease.boundMillis, exchange.lease.boundMillis),
  }
}

const positionOf = ({ name, position }: Follower) => ({ feed: name, shard: SHARD, ...position })
