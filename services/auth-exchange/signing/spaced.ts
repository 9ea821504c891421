import { setTimeout as pause } from 'node:timers/promises'
import { monotonicMillis } from '#libs/clock.js'

/** Runs of `work`, one at a time and some time apart. Whoever asks joins only a run that has not begun: what it waits for is no older than its question. */
export function spaced(millis: number, work: () => Promise<void>): () => Promise<void> {
  let begunMillis = -Infinity
  let latest: Promise<unknown> = Promise.resolve()
  let waiting: Promise<void> | undefined
  const run = async (before: Promise<unknown>): Promise<void> => {
    await before.catch(() => undefined)
    const wait = begunMillis + millis - monotonicMillis()
    if (wait > 0) await pause(wait)
    waiting = undefined
    begunMillis = monotonicMillis()
    await work()
  }
  return () => {
    if (!waiting) {
      waiting = run(latest)
      latest = waiting
    }
    return waiting
  }
}
