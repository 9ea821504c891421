/**
 * Asks one thing at a time, and all that wait together: however many callers there are, they hold one connection, and the more
 * they are the less each costs. Every caller gets an answer to a question that was sent after it came.
 */
export function lookUpTogether<Key, Found>(most: number, load: (keys: readonly Key[]) => Promise<(key: Key) => Found | undefined>): (key: Key) => Promise<Found | undefined> {
  type Waiting = { readonly key: Key; readonly found: (found: Found | undefined) => void; readonly failed: (error: unknown) => void }
  let waiting: Waiting[] = []
  let isAsking = false
  const ask = async (): Promise<void> => {
    isAsking = true
    while (waiting.length > 0) {
      const asked = waiting.slice(0, most)
      waiting = waiting.slice(most)
      try {
        const find = await load(asked.map(({ key }) => key))
        for (const { key, found } of asked) found(find(key))
      } catch (error) {
        for (const { failed } of asked) failed(error)
      }
    }
    isAsking = false
  }
  return (key) =>
    new Promise((found, failed) => {
      waiting.push({ key, found, failed })
      if (!isAsking) void ask()
    })
}
