import type { Log } from '#libs/log.js'

/** Keeps commands from what just failed: after a rest one is let through, and the next ones once that has worked. */
export type Breaker = {
  mayTry(): boolean
  worked(): void
  failed(reason: string): void
  isUp(): boolean
  close(): void
}

export type BreakerOptions = {
  readonly now: () => number
  readonly log: Log
  /** What is said of a trouble, and of its end. */
  readonly words: { readonly down: string; readonly up: string }
}

const REST_MILLIS = 250
// A trouble that is over by then is not worth a line, and one that comes and goes is not worth a line each time.
const SAID_AFTER_MILLIS = 2_000

export function createBreaker({ now, log, words }: BreakerOptions): Breaker {
  let up = true
  let saidUp = true
  let reason = ''
  let restsUntil = 0
  let timer: NodeJS.Timeout | undefined
  const say = () => {
    timer = undefined
    if (up === saidUp) return
    saidUp = up
    log.warn(up ? {} : { reason }, up ? words.up : words.down)
  }
  const change = (to: boolean) => {
    up = to
    timer ??= setTimeout(say, SAID_AFTER_MILLIS).unref()
  }
  return {
    mayTry() {
      if (up) return true
      if (now() < restsUntil) return false
      restsUntil = now() + REST_MILLIS
      return true
    },
    worked() {
      if (!up) change(true)
    },
    failed(why) {
      reason = why
      restsUntil = now() + REST_MILLIS
      if (up) change(false)
    },
    isUp: () => up,
    close: () => clearTimeout(timer),
  }
}
