import { setTimeout as sleep } from 'node:timers/promises'

/** Holds the mutators, each between two changes, while something is done that they must not meet. */
export class Gate {
  #isClosed = false
  #inside = 0
  #opened: (() => void)[] = []

  /** Does one thing while the gate is open. */
  async through<T>(work: () => Promise<T>): Promise<T> {
    while (this.#isClosed) await new Promise<void>((goOn) => this.#opened.push(goOn))
    this.#inside += 1
    try {
      return await work()
    } finally {
      this.#inside -= 1
    }
  }

  /** Whether all are held; where it takes too long they are let go again. */
  async close(withinMillis: number): Promise<boolean> {
    this.#isClosed = true
    for (let waited = 0; waited < withinMillis && this.#inside > 0; waited += 10) await sleep(10)
    if (this.#inside > 0) this.open()
    return this.#isClosed
  }

  open(): void {
    this.#isClosed = false
    for (const goOn of this.#opened.splice(0)) goOn()
  }
}
