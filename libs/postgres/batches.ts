/**
 * Does together what is asked for separately: at once while nothing is under way, and otherwise with all that was asked for
 * until it is over. So one that is alone waits for nobody, and many share the price of a statement and of its commit.
 * `work` answers with one outcome for each, in their order; where it fails, it fails for each.
 */
export function inBatches<Item, Outcome>(most: number, work: (items: readonly Item[]) => Promise<readonly Outcome[]>): (item: Item) => Promise<Outcome> {
  type Waiting = { readonly item: Item; readonly done: (outcome: Outcome) => void; readonly fail: (error: unknown) => void }
  let waiting: Waiting[] = []
  let isUnderWay = false
  const next = async (): Promise<void> => {
    const batch = waiting.slice(0, most)
    waiting = waiting.slice(most)
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
    isUnderWay = waiting.length > 0
    if (isUnderWay) void next()
  }
  return (item) =>
    new Promise((done, fail) => {
      waiting.push({ item, done, fail })
      if (isUnderWay) return
      isUnderWay = true
      void next()
    })
}
