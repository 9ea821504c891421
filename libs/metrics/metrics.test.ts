import { describe, expect, it } from 'vitest'
import { follow } from '../freshness/follow.js'
import type { Pulled } from '../freshness/stamp.js'
import { createMetrics, serveMetrics } from './metrics.js'

const now = () => ({ monotonic: 1_100, wall: 1_100 })

describe('what an operator can watch', () => {
  it('names leases, pulls, places and Redis, each with its type', async () => {
    const metrics = createMetrics()
    const pulled = { epoch: 'e', head: 7, changes: [], databaseTime: new Date(0), boundMillis: 250, promised: { durability: 'local' as const, keptBoundMillis: 250 }, ageMillis: 0 }
    let at = { monotonic: 1_000, wall: 1_000 }
    const feed = follow({ name: 'registry', now: () => at, pull: () => Promise.resolve(pulled), on: metrics.pulls('check', 'registry') })
    await feed.pull()
    at = now()
    metrics.follow('check', feed, now)
    metrics.reads('check', 'grants')('redis')
    metrics.store('check', { isUp: () => false, get: () => Promise.resolve([]), set: () => Promise.resolve(), publish: () => undefined, listen: () => undefined, close: () => Promise.resolve() })

    const text = await metrics.text()
    expect(text).toContain('# TYPE countersign_lease_age_seconds gauge\ncountersign_lease_age_seconds{service="check",feed="registry"} 0.1\n')
    expect(text).toContain('countersign_lease_bound_seconds{service="check",feed="registry"} 0.25\n')
    expect(text).toContain('countersign_feed_applied_seq{service="check",feed="registry"} 7\n')
    expect(text).toContain('# TYPE countersign_feed_pulls_total counter\n')
    expect(text).toContain('countersign_feed_pulls_total{service="check",feed="registry",outcome="applied"} 1\n')
    expect(text).toContain('countersign_feed_pulls_total{service="check",feed="registry",outcome="started_over"} 1\n')
    expect(text).toContain('countersign_cache_reads_total{service="check",kind="grants",place="redis"} 1\n')
    expect(text).toContain('countersign_redis_up{service="check"} 0\n')
  })

  it('says nothing of a lease that never was', async () => {
    const metrics = createMetrics()
    metrics.follow('check', follow({ name: 'exchange', now, pull: () => new Promise<Pulled>(() => undefined) }), now)
    expect(await metrics.text()).toContain('countersign_lease_age_seconds{service="check",feed="exchange"} +Inf\n')
  })

  it('is served at one path only', async () => {
    const { port, close } = await serveMetrics(createMetrics(), { host: '127.0.0.1', port: 0 })
    const statuses = await Promise.all(['/metrics', '/', '/metrics/x'].map(async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).status))
    expect(statuses).toEqual([200, 404, 404])
    await close()
  })
})
