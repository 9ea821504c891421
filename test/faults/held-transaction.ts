import { withClient } from '../../deploy/local/service-databases.js'
import { until } from '../support/running-processes.js'

/** A transaction of the test's own, which others wait for. */
export type Held = {
  run(sql: string, values?: readonly unknown[]): Promise<void>
  /** Returns when so many statements of others wait for a lock. */
  awaited(count?: number): Promise<void>
  /** What they wait for, such as `relation` or `transactionid`. */
  awaitedLocks(): Promise<string[]>
  commit(): Promise<void>
}

/** Barriers in place of luck: `work` decides what happens between the statement that waits and the commit that it waits for. */
export function heldTransaction<T>(url: string, work: (held: Held) => Promise<T>): Promise<T> {
  return withClient(url, async (client) => {
    await client.query('begin')
    return work({
      run: async (sql, values = []) => {
        await client.query(sql, [...values])
      },
      awaited: (count = 1) => until(async () => (await waiting(url)).length === count),
      awaitedLocks: () => waiting(url),
      commit: async () => {
        await client.query('commit')
      },
    })
  })
}

// Asked on a connection of its own: within a transaction the answer would stay what it was at first.
const waiting = (url: string): Promise<string[]> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ lock: string }>("select wait_event as lock from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' order by 1")
    return rows.map(({ lock }) => lock)
  })
