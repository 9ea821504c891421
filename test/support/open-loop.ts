import { monotonicMillis } from '#libs/clock.js'

/** A kind of call that is made at a rate of its own, whatever becomes of the ones before. */
export type Stream = { readonly name: string; readonly perSecond: number; readonly call: () => Promise<unknown> }

/** What became of one call. `millis` counts from when it was due: what waits for its turn to be sent is slow as well. */
export type Outcome = { readonly name: string; readonly due: number; readonly millis: number; readonly error?: unknown }

const TICK_MILLIS = 5

/** Makes the calls of all streams, each at its rate, until it is stopped; stopping waits for those that are under way. */
export function openLoop(streams: readonly Stream[], onOutcome: (outcome: Outcome) => void): { stop(): Promise<void> } {
  const began = monotonicMillis()
  const sent = streams.map(() => 0)
  const underWay = new Set<Promise<void>>()
  const send = ({ name, call }: Stream, due: number) => {
    const ended = (error?: unknown) => onOutcome({ name, due, millis: monotonicMillis() - due, ...(error !== undefined && { error }) })
    const one = call().then(() => ended(), ended).finally(() => underWay.delete(one))
    underWay.add(one)
  }
  const timer = setInterval(() => {
    const elapsed = monotonicMillis() - began
    for (const [place, stream] of streams.entries()) {
      const apart = 1_000 / stream.perSecond
      for (let number = sent[place] ?? 0; number * apart <= elapsed; number += 1) {
        sent[place] = number + 1
        send(stream, began + number * apart)
      }
    }
  }, TICK_MILLIS)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(underWay)
    },
  }
}
