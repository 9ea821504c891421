import type { Writable } from 'node:stream'

/**
 * To be called before a command: the commands of one turn of the event loop then go out by one write, at its end. A write for
 * each costs more than all else of a command.
 */
export function oneWritePerTurn(redis: { readonly stream: Pick<Writable, 'cork' | 'uncork'> }): () => void {
  let isHeld = false
  return () => {
    if (isHeld) return
    isHeld = true
    const { stream } = redis
    stream.cork()
    setImmediate(() => {
      isHeld = false
      stream.uncork()
    })
  }
}
