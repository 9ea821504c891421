import { inBatches } from '../batches.js'
import type { Deadline } from '../rpc/deadline.js'
import { repeating } from './transaction.js'

/** Beyond that a statement is so long that the next one is better begun. */
const MOST = 100

/**
 * What comes while others are being committed shares the next commit; what is alone is committed at once. `commit` is one
 * transaction for all of its items, and answers with an outcome for each. It is repeated after contention, until the latest of
 * their deadlines.
 */
export function sharedCommits<Item, Outcome>(commit: (items: readonly Item[]) => Promise<readonly Outcome[]>): (item: Item, deadline: Deadline) => Promise<Outcome> {
  const inTurn = inBatches<{ readonly item: Item; readonly deadline: Deadline }, Outcome>(MOST, (waiting) =>
    repeating(Math.max(...waiting.map(({ deadline }) => deadline)), () => commit(waiting.map(({ item }) => item))))
  return (item, deadline) => inTurn({ item, deadline })
}
