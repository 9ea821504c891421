import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Counter, Gauge, Registry } from 'prom-client'
import type { FeedName } from './freshness/entities.js'
import type { Follower } from './freshness/follow.js'
import type { Place } from './freshness/read-through.js'
import type { Moment } from './clock.js'
import type { KeyValueStore } from './redis/key-value.js'

// What an operator can watch of freshness; docs/freshness.md says how to read it. Labels are names of ours, never an id.

/** What a follower tells of its pulls. */
export type PullEvents = { readonly startedOver: () => void; readonly failed: () => void; readonly pulled: () => void }

export type Metrics = {
  /** Shows how old the lease of a feed is whenever that is asked for. */
  follow(service: string, feed: Follower, now: () => Moment): void
  pulls(service: string, feed: FeedName): PullEvents
  /** Counts where entries of one kind were found. */
  reads(service: string, kind: string): (place: Place) => void
  store(service: string, store: KeyValueStore): void
  /** In the text format of Prometheus. */
  text(): Promise<string>
}

const PLACES: readonly Place[] = ['memory', 'redis', 'owner']

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const onScrape: (() => void)[] = []
  const gauge = (name: string, help: string, labelNames: readonly string[]) => new Gauge({ name: `countersign_${name}`, help, labelNames: [...labelNames], registers })
  const age = gauge('lease_age_seconds', 'Time since the last answered pull of the feed was sent; cached answers are used up to the bound.', ['service', 'feed'])
  const bound = gauge('lease_bound_seconds', 'The staleness bound as the owner of the feed delivered it; 0 before the first pull.', ['service', 'feed'])
  const position = gauge('feed_applied_seq', 'The newest change that was applied; compare it over replicas, within one epoch.', ['service', 'feed'])
  const up = gauge('redis_up', '1 while Redis answers; 0 means degraded: answers are right and cost more.', ['service'])
  const pulls = new Counter({ name: 'countersign_feed_pulls_total', help: 'Pulls of the feed by how they ended; started_over: all that was cached before is void.', labelNames: ['service', 'feed', 'outcome'], registers })
  const found = new Counter({ name: 'countersign_cache_reads_total', help: 'Entries by kind and by where they were found.', labelNames: ['service', 'kind', 'place'], registers })
  return {
    follow: (service, follower, now) => {
      const labels = { service, feed: follower.name }
      onScrape.push(() => {
        age.set(labels, follower.lease.ageMillis(now()) / 1000)
        bound.set(labels, follower.lease.boundMillis / 1000)
        position.set(labels, follower.position.seq)
      })
    },
    pulls: (service, feed) => ({
      startedOver: () => pulls.inc({ service, feed, outcome: 'started_over' }),
      failed: () => pulls.inc({ service, feed, outcome: 'failed' }),
      pulled: () => pulls.inc({ service, feed, outcome: 'applied' }),
    }),
    reads: (service, kind) => {
      // Counted here by every check, several times, and handed on when somebody looks.
      const counts: Record<Place, number> = { memory: 0, redis: 0, owner: 0 }
      onScrape.push(() => {
        for (const place of PLACES) {
          found.inc({ service, kind, place }, counts[place])
          counts[place] = 0
        }
      })
      return (place) => {
        counts[place] += 1
      }
    },
    store: (service, store) => void onScrape.push(() => up.set({ service }, store.isUp() ? 1 : 0)),
    text: () => {
      for (const update of onScrape) update()
      return registry.metrics()
    },
  }
}

/** Serves `GET /metrics` on a port, 0 for a free one. Answers with the port and how to stop. */
export async function serveMetrics(metrics: Metrics, address: { host: string; port: number }): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end()
      return
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, resolve)
  })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port: portOf(server.address()), close }
}

const portOf = (address: AddressInfo | string | null): number => (address !== null && typeof address === 'object' ? address.port : 0)
