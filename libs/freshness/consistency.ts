import type { Moment } from '../clock.js'
import { DomainError } from '../domain-error.js'
import type { FeedName } from './entities.js'
import { type Follower, leaseLapsed, PATIENCE_MILLIS } from './follower.js'
import { type Position, type Revision, revisionText, SHARD } from './revision.js'
import type { Entry } from './stamp.js'

/** How fresh an answer has to be: within the published bound, no older than a revision, or as of a moment after the call. */
export type Consistency = { readonly level: 'bounded' | 'full' } | { readonly level: 'at-least'; readonly revision: Revision }

/** An entry and the feed that says whether it is still true. */
export type Held = { readonly feed: Follower; readonly entry: Entry<unknown> }

/** What one question demands of the feeds that its answer rests on. */
export type Demand = {
  /** Resolves when the leases hold and the feeds have come as far as is asked. LEASE_LAPSED, OUT_OF_RANGE (REVISION_AHEAD). */
  meet(): Promise<void>
  /** The test that is made in the synchronous turn that decides: leases, demands and every entry, at one moment. */
  isMetBy(entries: readonly Held[], at: Moment): boolean
}

export const revisionAhead = (revision: string): DomainError =>
  new DomainError('OUT_OF_RANGE', 'REVISION_AHEAD', 'Nothing so new has been committed: the revision is of another installation, or was made up.', { metadata: { revision } })

export type Demands = { demand(consistency: Consistency): Demand }

/** `now` reads both clocks of the machine. */
export function demandsOn(feeds: readonly Follower[], now: () => Moment): Demands {
  return { demand: (consistency) => new FeedDemand(feeds, now, consistency) }
}

class FeedDemand implements Demand {
  /** By feed, the order after which a pull must have been sent; empty where any will do that the lease allows. */
  #since: ReadonlyMap<FeedName, number> | undefined
  readonly #awaited: Revision

  constructor(
    private readonly feeds: readonly Follower[],
    private readonly now: () => Moment,
    consistency: Consistency,
  ) {
    this.#awaited = consistency.level === 'at-least' ? consistency.revision : []
    if (consistency.level === 'full') this.#demandPulls()
  }

  async meet(): Promise<void> {
    const askedAgain = new Set<Follower>()
    const start = this.now().monotonic
    for (;;) {
      const behind = this.#behind()
      if (behind && askedAgain.has(behind)) throw revisionAhead(revisionText(this.#awaited))
      if (behind) askedAgain.add(behind)
      const at = this.now()
      const lacking = behind ? [behind] : this.feeds.filter((feed) => !this.#isFresh(feed, at))
      const [first] = lacking
      if (!first) return
      // Pulls that are answered, and each too late for the lease.
      if (this.now().monotonic - start > PATIENCE_MILLIS) throw leaseLapsed(first.name)
      await Promise.all(lacking.map((feed) => feed.pull()))
    }
  }

  isMetBy(entries: readonly Held[], at: Moment): boolean {
    return this.#behind() === undefined && this.feeds.every((feed) => this.#isFresh(feed, at)) && entries.every(({ feed, entry }) => feed.test(entry) === 'usable')
  }

  #isFresh(feed: Follower, at: Moment): boolean {
    feed.isUsed(at)
    const since = this.#since?.get(feed.name)
    return feed.lease.holds(at) && (since === undefined || feed.hasPulledSince(since))
  }

  /** A feed that was not pulled as far as the awaited revision. */
  #behind(): Follower | undefined {
    return this.#awaited.length === 0 ? undefined : this.feeds.find((feed) => this.#awaited.some((awaited) => this.#isBeyond(feed, awaited)))
  }

  #isBeyond({ name, position }: Follower, { feed, shard, epoch, seq }: Position): boolean {
    if (feed !== name) return false
    if (epoch === position.epoch && shard === SHARD) return seq > position.seq
    // Positions of another epoch can't be compared: everything that is committed by now is at least as new.
    this.#demandPulls()
    return false
  }

  #demandPulls(): void {
    this.#since ??= new Map(this.feeds.map((feed) => [feed.name, feed.order()]))
  }
}
