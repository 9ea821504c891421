import type { Kysely, Transaction } from 'kysely'
import { type Deadline, remainingMillis } from '../rpc/deadline.js'
import { contention, isRepeatable } from './errors.js'

/**
 * Runs `work` in one READ COMMITTED transaction. A serialization failure, a deadlock or a lock timeout, also at COMMIT,
 * repeats the whole of it while the deadline allows; then it is ABORTED. `work` does SQL and pure calls only.
 */
export function inTransaction<Schema, T>(db: Kysely<Schema>, deadline: Deadline, work: (tx: Transaction<Schema>) => Promise<T>): Promise<T> {
  return repeating(deadline, () => db.transaction().setIsolationLevel('read committed').execute(work))
}

/** The same for a single statement, which is a transaction of its own. */
export async function repeating<T>(deadline: Deadline, statement: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await statement()
    } catch (error) {
      if (!isRepeatable(error)) throw error
      if (attempt === 5 || remainingMillis(deadline) < 200) throw contention(error)
    }
  }
}
