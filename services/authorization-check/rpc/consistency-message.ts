import type { Report } from '#libs/domain-error.js'
import type { Consistency } from '#libs/freshness/consistency.js'
import { type Revision, revisionFrom } from '#libs/freshness/revision.js'
import type { Consistency as ConsistencyMessage } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'

const MAX_LENGTH = 4096

/** Bounded where nothing is asked for. */
export function consistencyFrom(message: ConsistencyMessage | undefined, report: Report): Consistency {
  const level = message?.level
  if (level?.$case === 'full') return { level: 'full' }
  return level?.$case === 'atLeast' ? { level: 'at-least', revision: shortRevisionFrom(level.value, report) } : { level: 'bounded' }
}

export function shortRevisionFrom(text: string, report: Report): Revision {
  if (text.length <= MAX_LENGTH) return revisionFrom(text, report)
  report(`must be at most ${MAX_LENGTH} characters`)
  return []
}
