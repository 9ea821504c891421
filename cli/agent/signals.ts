/** Resolves at SIGTERM or SIGINT; a second one ends the process at once, with 1. SIGHUP is a wish, not an end. */
export function untilSignal(onHangup: () => void): Promise<void> {
  // Whoever reads what we say may go before us.
  process.stderr.on('error', () => undefined)
  process.on('SIGHUP', onHangup)
  return new Promise((resolve) => {
    let isEnding = false
    const onEnd = () => {
      if (isEnding) process.exit(1)
      isEnding = true
      resolve()
    }
    process.on('SIGTERM', onEnd).on('SIGINT', onEnd)
  })
}

const GRACE_MILLIS = 1_000

/** Everything is done: a call that nobody waits for any more does not keep the process. */
export const endSoon = (): void => void setTimeout(() => process.exit(), GRACE_MILLIS).unref()
