/** What a service's app.ts makes: listens when told, and undoes everything in reverse. */
export type App<Addresses> = { listen(): Promise<Addresses>; close(): Promise<void> }

/** Collects what has to be undone; `close` undoes it in reverse, every step even if an earlier one failed. */
export class Closing {
  readonly #steps: (() => Promise<void> | void)[] = []
  #closed = Promise.resolve()
  #begun = false

  /** Whether anybody has asked to undo. */
  get hasBegun(): boolean {
    return this.#begun
  }

  add(step: () => Promise<void> | void): void {
    this.#steps.push(step)
  }

  /** Asked again, it waits for what is under way and undoes what was added since. */
  close(): Promise<void> {
    this.#begun = true
    const undo = () => this.#undo()
    this.#closed = this.#closed.then(undo, undo)
    return this.#closed
  }

  async #undo(): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step()
      } catch (failure) {
        failures.push(failure)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'could not close cleanly')
  }
}

/** Runs until SIGTERM or SIGINT, closes, exits 0; a second signal exits at once with 1. */
export function closeOnSignal(close: () => Promise<void>): void {
  let closing = false
  const onSignal = () => {
    if (closing) process.exit(1)
    closing = true
    close().then(
      () => process.exit(0),
      (failure: unknown) => {
        process.stderr.write(`${String(failure)}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

/** What a service does by itself, at its start and from then on. `name` ends in what an operator reads when it failed. */
export type Job = { readonly name: string; readonly everyMillis: number; readonly work: () => Promise<void> }

/** Does periodic work, one run at a time, until told to stop; stopping waits for the run under way. */
export function every(millis: number, work: () => Promise<void>, onFailure: (failure: unknown) => void): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve()
  let idle = true
  const timer = setInterval(() => {
    if (!idle) return
    idle = false
    underWay = work().catch(onFailure).finally(() => {
      idle = true
    })
  }, millis)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await underWay
  }
}

/** The same, beginning now: what fails the first time fails this. */
export async function nowAndEvery(millis: number, work: () => Promise<void>, onFailure: (failure: unknown) => void): Promise<() => Promise<void>> {
  await work()
  return every(millis, work, onFailure)
}
