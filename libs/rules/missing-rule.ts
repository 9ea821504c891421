import type { Rule } from './rule.js'

/** Why whoever gives a rule may not give it. */
export type Obstacle =
  /** No single rule of theirs allows all that it allows. */
  | 'not-held'
  /** One does, but not for all of the time. */
  | 'not-for-so-long'
  /** One does, but a rule of theirs denies some of it, or may. */
  | 'denied'

/** A rule that somebody would get, and that whoever gives it does not hold. */
export type MissingRule = {
  /** Undefined: in the organization itself. */
  readonly projectId: string | undefined
  /** The role that it is of. */
  readonly role: string
  readonly rule: Rule
  /** When it would hold; null for without an end. */
  readonly startTime: Date | null
  readonly endTime: Date | null
  readonly obstacle: Obstacle
}
