import { DomainError } from './domain-error.js'
import type { MissingRule, Obstacle } from './rules/missing-rule.js'
import { ruleText } from './rules/text.js'

/** So many are told in words; the details have as many as fit. */
const TOLD = 3

/** Somebody would get, or could take, more than whoever does it holds, who has not the action `grant` either. */
export const escalation = (missing: readonly MissingRule[], count = missing.length): DomainError => {
  const told = missing.slice(0, TOLD).map(missingText)
  const more = count > told.length ? `; and ${count - told.length} more` : ''
  return new DomainError('PERMISSION_DENIED', 'ESCALATION', `This would give what you do not hold: ${told.join('; ')}${more}.`, {
    metadata: { count: String(count) },
    missingRules: missing,
  })
}

const because: Record<Obstacle, string> = {
  'not-held': 'no single rule of yours allows all of it',
  'not-for-so-long': 'yours is not for so long',
  denied: 'a rule of yours denies some of it',
}

/** `allow read on secrets, of role reader in project ID (no single rule of yours allows all of it)`. */
export const missingText = ({ projectId, role, rule, obstacle }: MissingRule): string =>
  `${ruleText(rule)}, of role ${role} in ${projectId === undefined ? 'the organization' : `project ${projectId}`} (${because[obstacle]})`
