import { monotonicMillis } from '#libs/clock.js'
import { DomainError } from '#libs/domain-error.js'
import { Checker, type Settings } from './checker.js'
import { Counts, type UnderFaults } from './counts.js'
import type { Event, Unstamped } from './history.js'
import { NO_ANSWER } from './history.js'

/** How much of the past a story may be told from. */
const KEPT_MILLIS = 120_000

/** Writes down what happens, by one clock, and has it judged at once. */
export class Recorder {
  readonly checker: Checker
  counts = new Counts()
  readonly #history: Event[] = []
  #ids = 0

  constructor(settings: Settings) {
    this.checker = new Checker(settings)
  }

  /** What was before was preparation. */
  countFromNow(): void {
    this.counts = new Counts()
  }

  /** A number that nothing else in the run has. */
  nextId(): number {
    this.#ids += 1
    return this.#ids
  }

  now(): number {
    return monotonicMillis()
  }

  note(happened: Unstamped): Event {
    const event: Event = { at: this.now(), ...happened }
    this.#history.push(event)
    this.checker.take(event)
    this.counts.take(event)
    if (this.#history.length % 10_000 === 0) this.#forget(event.at - KEPT_MILLIS)
    return event
  }

  get history(): readonly Event[] {
    return this.#history
  }

  get activeFaults(): UnderFaults {
    return this.counts.activeFaults
  }

  #forget(before: number): void {
    const first = this.#history.findIndex(({ at }) => at >= before)
    if (first > 0) this.#history.splice(0, first)
  }
}

/** An error as an answer: what keeps the caller waiting is none, and everything else is told as it is. */
export function answerOf(error: unknown): string {
  if (!(error instanceof DomainError)) return `a failure of the harness: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  if (error.kind === 'UNAVAILABLE' || error.kind === 'RESOURCE_EXHAUSTED') return NO_ANSWER
  return `${error.kind} ${error.reason}: ${error.message}`
}
