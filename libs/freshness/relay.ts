import type { Moment } from '../clock.js'
import { follow, type FollowOptions } from './follow.js'
import type { Follower } from './follower.js'
import type { Answer, OwnedChange, PullServer } from './serve.js'
import type { Stamp } from './stamp.js'

// A replica hands on what it pulled, so that thousands of sidecars pull from a few replicas and not from the owners. What it
// answers from memory says how old it is, and whoever is answered counts that age as its own: the bound stays what it is.

/** A replica that is further behind starts over. */
const REMEMBERED = 5_000

/** What is older than this share of the bound is not handed on: the owner is asked first. */
const SHARE_OF_BOUND = 1 / 4

/** The last changes that a follower applied, with no gap, and the answer that brought the newest. */
class RelayedChanges {
  #latest: Answer | undefined
  #changes: OwnedChange[] = []

  constructor(private readonly remembered: number) {}

  /** `goesOn`: it adds to what was applied before. */
  applied(answer: Answer, goesOn: boolean): void {
    if (!goesOn) this.#changes = []
    for (const change of answer.changes) {
      // The owner does not tell us what changed there, so we can't tell others: who needs it finds a gap, and starts over.
      if (change.organizationId === '') this.#changes = []
      else this.#changes.push(change)
    }
    if (this.#changes.length > 2 * this.remembered) this.#changes = this.#changes.slice(-this.remembered)
    this.#latest = answer
  }

  /** What there is after a position, as an owner would have answered it at the time. */
  after({ epoch, seq }: Stamp): Answer {
    if (!this.#latest) throw new Error('nothing was pulled yet')
    const [oldest] = this.#changes
    const changes = epoch === this.#latest.epoch && oldest ? this.#changes.slice(Math.max(0, seq + 1 - oldest.seq)) : []
    return { ...this.#latest, changes }
  }
}

/** Follows a feed and answers pulls of it. */
export function relayedFeed(options: FollowOptions<Answer>, remembered = REMEMBERED): { readonly feed: Follower; readonly pulls: PullServer } {
  const changes = new RelayedChanges(remembered)
  const applied = (answer: Answer, goesOn: boolean) => {
    changes.applied(answer, goesOn)
    options.on?.applied?.(answer, goesOn)
  }
  const feed = follow({ ...options, on: { ...options.on, applied } })
  return { feed, pulls: relayServer(feed, changes, options.now) }
}

/** Answers a pull from what was pulled here; where that is too old, or must be read after the pull arrived, the owner is pulled first. */
function relayServer(feed: Follower, changes: RelayedChanges, now: () => Moment): PullServer {
  return async ({ current, ...after }) => {
    const arrived = now()
    feed.isUsed(arrived)
    const { lease } = feed
    const remembered = Math.max(1, Math.ceil(lease.ageMillis(arrived)))
    const ageMillis = !current && lease.holds(arrived) && remembered <= lease.boundMillis * SHARE_OF_BOUND ? remembered : 0
    if (ageMillis === 0) await feed.pull()
    return { ...changes.after(after), ageMillis }
  }
}
