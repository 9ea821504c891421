import { Counter, Gauge, type Registry } from 'prom-client'
import type { Connections } from '../postgres/database.js'
import type { KeyValueStore } from '../redis/key-value.js'

// What an operator can watch of a service and of what it depends on.

export type ServiceMetrics = {
  /** Shows whether Redis answers, where there is one; returns what it was given. */
  store(service: string, store: KeyValueStore | undefined): KeyValueStore | undefined
  /** Counts decisions by their reason. */
  decisions(): (reason: string) => void
  /** Counts logins that failed, by their true reason. */
  loginFailures(): (failed: { readonly reason: string; readonly throttled: boolean }) => void
  /** Shows how many connections a pool has and how many statements wait for one. */
  pool(name: string, connections: () => Connections): void
  /** Shows a moment, as seconds since 1970. */
  moment(what: MomentName, at: () => Date | undefined): void
}

const MOMENTS = { certificate_expire_time: 'When the certificate in use expires', signing_key_create_time: 'When the key that signs access tokens was made' } as const

type MomentName = keyof typeof MOMENTS

export function serviceMetrics(registry: Registry, onScrape: (update: () => void) => void): ServiceMetrics {
  const registers = [registry]
  const gauge = (name: string, help: string, labelNames: readonly string[]) => new Gauge({ name: `countersign_${name}`, help, labelNames: [...labelNames], registers })
  const up = gauge('redis_up', '1 while Redis answers; 0 means degraded: answers are right and cost more.', ['service'])
  const decided = new Counter({ name: 'countersign_decisions_total', help: 'Checks that were decided, by reason.', labelNames: ['reason'], registers })
  const connections = gauge('database_connections', 'Connections to PostgreSQL by pool and state; waiting are statements that have none yet.', ['pool', 'state'])
  return {
    store: (service, store) => {
      if (store) onScrape(() => up.set({ service }, store.isUp() ? 1 : 0))
      return store
    },
    decisions: () => {
      const counts = new Map<string, number>()
      onScrape(() => {
        for (const [reason, count] of counts) decided.inc({ reason }, count)
        counts.clear()
      })
      return (reason) => void counts.set(reason, (counts.get(reason) ?? 0) + 1)
    },
    loginFailures: () => {
      const help = 'Logins that were refused, by the true reason, and by whether they were told to wait.'
      const failed = new Counter({ name: 'countersign_login_failures_total', help, labelNames: ['reason', 'throttled'], registers })
      return ({ reason, throttled }) => failed.inc({ reason, throttled: throttled ? 'yes' : 'no' })
    },
    pool: (pool, now) =>
      onScrape(() => {
        for (const [state, count] of Object.entries(now())) connections.set({ pool, state }, count)
      }),
    moment: (what, at) => {
      const shown = gauge(`${what}_seconds`, `${MOMENTS[what]}, in seconds since 1970; 0 where there is none.`, [])
      onScrape(() => shown.set((at()?.getTime() ?? 0) / 1000))
    },
  }
}
