import type { Moment } from '#libs/clock.js'
import type { Follower } from '#libs/freshness/follower.js'
import { relayedFeed } from '#libs/freshness/relay.js'
import type { PullServer } from '#libs/freshness/serve.js'
import type { Network, Owner } from './one-owner.js'

type Outside = { readonly owner: Owner; readonly network: Network; readonly time: () => number }

/** A relay of the real parts, between an owner and sidecars. */
export class Relay {
  readonly pulls: PullServer
  /** How many pulls were answered with what it remembered. */
  remembered = 0
  /** What the monotonic clock did not count, and what was added to the wall clock. */
  suspended = 0
  stepped = 0
  readonly #feed: Follower

  constructor({ owner, network, time }: Outside) {
    const now = (): Moment => ({ monotonic: time() - this.suspended, wall: time() + this.stepped })
    const { feed, pulls } = relayedFeed({
      name: 'registry',
      now,
      pull: async (after, { current }) => {
        await network.travels('pull of a relay')
        const answer = await owner.pulls({ ...after, current })
        await network.travels('pull of a relay is answered')
        return answer
      },
    })
    this.#feed = feed
    this.pulls = async (asked) => {
      const answer = await pulls(asked)
      if (answer.ageMillis > 0) this.remembered += 1
      return answer
    }
  }

  tick(): void {
    this.#feed.tick()
  }

  hint(): void {
    this.#feed.hint()
  }
}
