/** Longer than a commit takes: what waits longer waits for somebody's lock. */
const PATIENCE_MILLIS = 25

/**
 * Does together what is asked for separately: all of one turn of the event loop while nothing is under way, and otherwise with
 * all that was asked for until it is over. So one that is alone waits for nobody, and many share the price of a statement and
 * of its commit.
 * `work` answers with one outcome for each, in their order; where it fails, it fails for each. One that has to wait for a lock
 * holds up nobody who comes later.
 */
export function inBatches<Item, Outcome>(most: number, work: (items: readonly Item[]) => Promise<readonly Outcome[]>): (item: Item) => Promise<Outcome> {
  type Waiting = { readonly item: Item; readonly done: (outcome: Outcome) => void; readonly fail: (error: unknown) => void }
  let waiting: Waiting[] = []
  let isUnderWay = false
  const begin = () => setImmediate(() => void next())
  const next = async (): Promise<void> => {
    const batch = waiting.slice(0, most)
    waiting = waiting.slice(most)
    let hasPassed = false
    const pass = () => {
      if (hasPassed) return
      hasPassed = true
      isUnderWay = waiting.length > 0
      if (isUnderWay) begin()
    }
    const patience = setTimeout(pass, PATIENCE_MILLIS)
    try {
      const outcomes = await work(batch.map(({ item }) => item))
      batch.forEach(({ done, fail }, place) => {
        const outcome = outcomes[place]
        if (outcome === undefined) fail(new Error('a batch answered with less than it was asked'))
        else done(outcome)
      })
    } catch (error) {
      for (const { fail } of batch) fail(error)
    }
    clearTimeout(patience)
    pass()
  }
  return (item) =>
    new Promise((done, fail) => {
      waiting.push({ item, done, fail })
      if (isUnderWay) return
      isUnderWay = true
      begin()
    })
}
