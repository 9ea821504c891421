import { Counter, Gauge, type Registry } from 'prom-client'
import type { Moment } from '../clock.js'
import type { FeedName } from '../freshness/entities.js'
import type { Follower } from '../freshness/follower.js'
import type { Place } from '../freshness/read-through.js'

// What an operator can watch of freshness; docs/freshness.md says how to read it.

/** What a follower tells of its pulls. */
export type PullEvents = { readonly startedOver: () => void; readonly failed: () => void; readonly applied: () => void }

export type FreshnessMetrics = {
  /** Shows how old the lease of a feed is whenever that is asked for. */
  follow(service: string, feed: Follower, now: () => Moment): void
  pulls(service: string, feed: FeedName): PullEvents
  /** Counts where entries of one kind were found. */
  reads(service: string, kind: string): (place: Place) => void
}

const PLACES: readonly Place[] = ['memory', 'redis', 'owner']

export function freshnessMetrics(registry: Registry, onScrape: (update: () => void) => void): FreshnessMetrics {
  const registers = [registry]
  const gauge = (name: string, help: string) => new Gauge({ name: `countersign_${name}`, help, labelNames: ['service', 'feed'], registers })
  const age = gauge('lease_age_seconds', 'Time since the last answered pull of the feed was sent; cached answers are used up to the bound.')
  const bound = gauge('lease_bound_seconds', 'The staleness bound as the owner of the feed delivered it; 0 before the first pull.')
  const position = gauge('feed_applied_seq', 'The newest change that was applied; compare it over replicas, within one epoch.')
  const pulls = new Counter({ name: 'countersign_feed_pulls_total', help: 'Pulls of the feed by how they ended; started_over: all that was cached before is void.', labelNames: ['service', 'feed', 'outcome'], registers })
  const found = new Counter({ name: 'countersign_cache_reads_total', help: 'Entries by kind and by where they were found.', labelNames: ['service', 'kind', 'place'], registers })
  return {
    follow: (service, follower, now) => {
      const labels = { service, feed: follower.name }
      onScrape(() => {
        age.set(labels, follower.lease.ageMillis(now()) / 1000)
        bound.set(labels, follower.lease.boundMillis / 1000)
        position.set(labels, follower.position.seq)
      })
    },
    pulls: (service, feed) => ({
      startedOver: () => pulls.inc({ service, feed, outcome: 'started_over' }),
      failed: () => pulls.inc({ service, feed, outcome: 'failed' }),
      applied: () => pulls.inc({ service, feed, outcome: 'applied' }),
    }),
    reads: (service, kind) => {
      // Counted here by every check, several times, and handed on when somebody looks.
      const counts: Record<Place, number> = { memory: 0, redis: 0, owner: 0 }
      onScrape(() => {
        for (const place of PLACES) {
          found.inc({ service, kind, place }, counts[place])
          counts[place] = 0
        }
      })
      return (place) => {
        counts[place] += 1
      }
    },
  }
}
