/** One call; fails where the answer is not the one that it should be. */
export type Call = () => Promise<void>

export type Driven = { readonly calls: number; readonly millis: number; readonly latencies: readonly number[] }

/** How much: whatever is reached first ends it. */
export type Amount = { readonly millis: number; readonly calls?: number }

/**
 * Keeps `inFlight` calls under way, and returns when the last of them is answered: what the server did meanwhile, it did
 * for the calls that are counted.
 */
export async function drive(call: Call, inFlight: number, { millis, calls = Infinity }: Amount): Promise<Driven> {
  const latencies: number[] = []
  const start = performance.now()
  const oneByOne = async () => {
    for (let asked = start; asked < start + millis && latencies.length < calls; ) {
      await call()
      const answered = performance.now()
      latencies.push(answered - asked)
      asked = answered
    }
  }
  await Promise.all(Array.from({ length: inFlight }, oneByOne))
  return { calls: latencies.length, millis: performance.now() - start, latencies }
}
