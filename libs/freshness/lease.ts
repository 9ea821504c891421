import type { Moment } from '../clock.js'
import type { Pulled } from './stamp.js'

type Held = { readonly asked: Moment; readonly answered: Moment; readonly databaseMillis: number; readonly boundMillis: number }

/** How long ago this replica asked for the feed and was answered: what is cached may be used no longer than the bound. */
export class Lease {
  #held: Held | undefined

  /** `asked` is when the pull was sent: whatever it did not see was committed later. */
  renew(asked: Moment, answered: Moment, { databaseTime, boundMillis }: Pick<Pulled, 'databaseTime' | 'boundMillis'>): void {
    this.#held = { asked, answered, databaseMillis: databaseTime.getTime(), boundMillis }
  }

  /** The bound that the owner delivered; 0 before the first pull. */
  get boundMillis(): number {
    return this.#held?.boundMillis ?? 0
  }

  /** Since the last successful pull was sent, by the clock on which more time has passed; infinite before the first. */
  ageMillis(now: Moment): number {
    return this.#held ? Math.max(now.monotonic - this.#held.asked.monotonic, now.wall - this.#held.asked.wall) : Infinity
  }

  holds(now: Moment): boolean {
    if (!this.#held) return false
    const { asked, boundMillis } = this.#held
    // Clocks that drift apart are not to be trusted with a bound: a second belt.
    const apart = Math.abs(now.monotonic - asked.monotonic - (now.wall - asked.wall))
    return this.ageMillis(now) <= boundMillis && apart <= boundMillis / 2
  }

  /** Database time can't be later than this, so what ends by then may have ended. Milliseconds since 1970. */
  latestTime(now: Moment): number {
    // The answer had been cut to milliseconds.
    return this.#held ? this.#held.databaseMillis + 1 + this.ageMillis(now) : Infinity
  }

  /** Database time can't be earlier than this, so what starts by then has started. Milliseconds since 1970. */
  earliestTime(now: Moment): number {
    return this.#held ? this.#held.databaseMillis + Math.max(0, now.monotonic - this.#held.answered.monotonic) : -Infinity
  }
}
