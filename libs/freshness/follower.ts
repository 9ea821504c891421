import type { Moment } from '../clock.js'
import { DomainError } from '../domain-error.js'
import type { FeedName } from './entities.js'
import type { Lease } from './lease.js'
import type { Entry, Promised, Stamp, Verdict } from './stamp.js'

/** How long a question waits for pulls that fail before it is told so. */
export const PATIENCE_MILLIS = 1_000

export type Follower = {
  readonly name: FeedName
  /** Where the feed was applied up to. */
  readonly position: Stamp
  /** What the owner promised with the last applied pull; nothing before the first. */
  readonly promised: Promised
  /** How often it had to start over: what was cached before is void. */
  readonly startedOver: number
  /** Says that a question is being answered: what nobody asks need not pull. */
  isUsed(at: Moment): void
  /** A number that grows with everything that happens here: what comes later has a larger one. */
  order(): number
  /** Whether a pull that was sent after `order` has been applied. */
  hasPulledSince(order: number): boolean
  /** Resolves when a pull that was sent after this call has been applied; rejects with UNAVAILABLE when none is for a second. */
  pull(): Promise<void>
  test(entry: Entry<unknown>): Verdict
  readonly lease: Lease
  /** Someone says that there are changes. Returns after how many milliseconds to say it again, as it is too early for a pull; 0 where one is sent, now or once the one under way is answered. */
  hint(): number
  tick(): void
  /** Whether ticks are of no use for now; `wake` is then called once, as soon as they are again. */
  rest(wake: () => void): boolean
}

export const leaseLapsed = (feed: FeedName): DomainError =>
  new DomainError('UNAVAILABLE', 'LEASE_LAPSED', `Nothing is known of the latest changes: the ${feed} feed could not be pulled in time. Keep the token and ask again.`, {
    metadata: { feed },
    // Whoever hears this has waited for as long already.
    retryAfterMillis: PATIENCE_MILLIS,
  })
