import type { Event, EventOf } from './history.js'
import { NO_ANSWER } from './history.js'

export type UnderFaults = ReadonlyMap<number, EventOf<'fault'>>

/** How much happened. */
export class Counts {
  mutations = 0
  /** With a fault at some time between being sent and being acknowledged. */
  faultful = 0
  revocations = 0
  requests = 0
  unavailable = 0
  /** Of what has few. */
  uses = 0
  longestRecoveryMillis = 0
  readonly faults = new Map<string, number>()
  readonly methods = new Map<string, number>()
  readonly activeFaults = new Map<number, EventOf<'fault'>>()
  readonly #underWay = new Map<number, { readonly what: string; readonly isRevocation: boolean; underFault: boolean }>()

  take(event: Event): void {
    switch (event.type) {
      case 'change':
        this.#underWay.set(event.change, { what: event.what, isRevocation: event.values.some(({ value }) => value !== 'allow'), underFault: this.activeFaults.size > 0 })
        return
      case 'changed':
        return this.#changed(event)
      case 'answered':
        this.requests += 1
        if (event.answer === NO_ANSWER) this.unavailable += 1
        return
      case 'fault':
        this.faults.set(event.kind, (this.faults.get(event.kind) ?? 0) + 1)
        this.activeFaults.set(event.fault, event)
        for (const change of this.#underWay.values()) change.underFault = true
        return
      case 'mended':
        this.activeFaults.delete(event.fault)
        return
      case 'recovered':
        this.longestRecoveryMillis = Math.max(this.longestRecoveryMillis, event.millis)
        return
      case 'use':
        this.uses += 1
        return
      case 'track':
      case 'turn':
      case 'asked':
      case 'refused':
      case 'found':
    }
  }

  #changed({ change }: EventOf<'changed'>): void {
    const made = this.#underWay.get(change)
    this.#underWay.delete(change)
    if (!made) return
    this.mutations += 1
    this.methods.set(made.what, (this.methods.get(made.what) ?? 0) + 1)
    if (made.underFault) this.faultful += 1
    if (made.isRevocation) this.revocations += 1
  }
}
