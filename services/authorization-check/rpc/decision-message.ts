import { FEEDS } from '#libs/freshness/entities.js'
import { revisionText, SHARD } from '#libs/freshness/revision.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { type CheckResponse, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Reason } from '../domain/decide.js'
import type { Decided } from './deciding.js'
import type { Feeds } from './gather.js'

const reasons: Record<Reason, DecisionReason> = {
  'allowed-by-rule': DecisionReason.ALLOWED_BY_RULE,
  'denied-by-rule': DecisionReason.DENIED_BY_RULE,
  'no-rule': DecisionReason.NO_RULE,
  'source-not-trusted': DecisionReason.SOURCE_NOT_TRUSTED,
}

/** How far both feeds are, as text: written anew where one has moved, since every decision says it. */
export function revisionOf(feeds: Feeds): () => string {
  let [registry, exchange, text]: [Stamp | undefined, Stamp | undefined, string] = [undefined, undefined, '']
  return () => {
    if (registry !== feeds.registry.position || exchange !== feeds.exchange.position) {
      registry = feeds.registry.position
      exchange = feeds.exchange.position
      text = revisionText(FEEDS.map((feed) => ({ feed, shard: SHARD, ...feeds[feed].position })))
    }
    return text
  }
}

export function toDecisionMessage({ decision, evidence: { credential, grants }, decisionId }: Decided, feeds: Feeds, revision: string): CheckResponse {
  const { identityId, organizationId, tokenId, expireMillis, useLimited } = credential
  const rule = !('role' in decision) ? undefined : { roleId: decision.role.roleId, role: decision.role.role, ruleIndex: decision.ruleIndex }
  const { registry, exchange } = feeds
  return {
    allowed: decision.allowed,
    reason: reasons[decision.reason],
    rule,
    identityId,
    identityName: grants.identityName,
    organizationId,
    tokenId: tokenId ?? '',
    tokenExpireTime: new Date(expireMillis),
    decisionId,
    revision,
    stalenessBoundMillis: Math.max(registry.lease.boundMillis, exchange.lease.boundMillis),
    useLimited,
  }
}
