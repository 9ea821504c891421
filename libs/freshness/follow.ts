import type { Moment } from '../clock.js'
import type { DomainError } from '../domain-error.js'
import type { FeedName } from './entities.js'
import { type Follower, leaseLapsed, PATIENCE_MILLIS } from './follower.js'
import { Lease } from './lease.js'
import { ChangeWindow, type Entry, type Promised, type Pulled, type Stamp, type Verdict } from './stamp.js'

// How a replica follows an owner's change feed. Nothing in here waits by itself: time comes from `now`, and `tick` is called
// every PULL_EVERY_MILLIS, so that tests move both by hand.

export const PULL_EVERY_MILLIS = 50

/** Nobody has asked anything for so long: the pulls stop, and the next question begins with one. */
const IDLE_MILLIS = 5_000

/** Hints that come sooner after a pull was sent wait for so long after it: a flood of them must not become a flood of pulls. */
const HINT_GAP_MILLIS = 10

/** The most that a pull may take; less, once the bound is known. */
const PULL_WITHIN_MILLIS = 5_000

type Events<Answered> = {
  readonly startedOver?: () => void
  readonly failed?: (error: unknown) => void
  /** `goesOn`: it added to what was applied before. */
  readonly applied?: (answered: Answered, goesOn: boolean) => void
}

/** `current`: what is answered must have been read after the pull arrived; otherwise a relay may answer what it remembers. */
export type PullTerms = { readonly withinMillis: number; readonly current: boolean }

export type FollowOptions<Answered> = {
  readonly name: FeedName
  readonly now: () => Moment
  /** Asks the owner for the changes after a position. */
  readonly pull: (after: Stamp, terms: PullTerms) => Promise<Answered>
  /** Told of what an operator may want to know, and of all that is applied. */
  readonly on?: Events<Answered>
}

type Sent = { readonly order: number; readonly at: Moment; readonly after: Stamp } & PullTerms

type Waiter = { readonly order: number; readonly since: number; readonly done: () => void; readonly fail: (error: DomainError) => void }

export function follow<Answered extends Pulled>(options: FollowOptions<Answered>): Follower {
  return new FeedFollower(options)
}

class FeedFollower<Answered extends Pulled> implements Follower {
  readonly name: FeedName
  readonly lease = new Lease()
  readonly #window = new ChangeWindow()
  readonly #now: FollowOptions<Answered>['now']
  readonly #ask: FollowOptions<Answered>['pull']
  readonly #on: Events<Answered>
  #order = 0
  #pulledOrder = 0
  #underWay: Sent | undefined
  #nextIsWanted = false
  #givenUp = 0
  #currentIsWanted = true
  #usedAt: number
  #sentAt = -Infinity
  #promised: Promised = { durability: 'none', keptBoundMillis: 60_000 }
  #startedOver = 0
  #waiters: Waiter[] = []
  #wake: (() => void) | undefined

  constructor({ name, now, pull, on = {} }: FollowOptions<Answered>) {
    this.name = name
    this.#now = now
    this.#ask = pull
    this.#on = on
    this.#usedAt = now().monotonic
  }

  get position(): Stamp {
    return this.#window.position
  }

  get promised(): Promised {
    return this.#promised
  }

  get startedOver(): number {
    return this.#startedOver
  }

  order(): number {
    this.#order += 1
    return this.#order
  }

  hasPulledSince(order: number): boolean {
    return this.#pulledOrder > order
  }

  isUsed(at: Moment): void {
    this.#usedAt = at.monotonic
    if (this.#wake) this.#endRest()
  }

  rest(wake: () => void): boolean {
    if (this.#underWay || !this.#isIdle()) return false
    this.#wake = wake
    return true
  }

  #endRest(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #isIdle(): boolean {
    return this.#now().monotonic - this.#usedAt > IDLE_MILLIS && this.#waiters.length === 0
  }

  test(entry: Entry<unknown>): Verdict {
    return this.#window.test(entry)
  }

  pull(): Promise<void> {
    return new Promise((done, fail) => {
      this.#usedAt = this.#now().monotonic
      this.#waiters.push({ order: this.order(), since: this.#usedAt, done, fail })
      this.#sendOrJoin()
    })
  }

  hint(): number {
    const tooEarlyBy = this.#sentAt + HINT_GAP_MILLIS - this.#now().monotonic
    if (tooEarlyBy > 0) return tooEarlyBy
    this.#sendOrJoin()
    return 0
  }

  #sendOrJoin(): void {
    // Only a pull that is not yet sent sees everything that was committed before this moment.
    if (this.#underWay) this.#nextIsWanted = true
    else this.#send()
  }

  tick(): void {
    const { monotonic } = this.#now()
    if (this.#underWay && monotonic - this.#underWay.at.monotonic > this.#underWay.withinMillis) {
      this.#underWay = undefined
      this.#givenUp += 1
    }
    const impatient = this.#takeWaiters(({ since }) => monotonic - since > PATIENCE_MILLIS)
    for (const { fail } of impatient) fail(leaseLapsed(this.name))
    if (!this.#underWay && !this.#isIdle()) this.#send()
  }

  /** A pull that hangs is given up while the lease still has time for another; the next one has longer, since it may be the owner that is slow. */
  #giveUpAfterMillis(): number {
    const { boundMillis } = this.lease
    if (boundMillis === 0) return PULL_WITHIN_MILLIS
    const first = Math.min(PULL_WITHIN_MILLIS, Math.max(100, boundMillis / 2))
    // Nobody waits for longer, and what hangs for ever must not keep the next one from being sent.
    return Math.max(first, Math.min(PATIENCE_MILLIS, first * 2 ** this.#givenUp))
  }

  #send(): void {
    this.#endRest()
    // Whoever waits needs what was committed before this moment.
    const current = this.#currentIsWanted || this.#waiters.length > 0
    const sent = { order: this.order(), at: this.#now(), after: this.position, withinMillis: this.#giveUpAfterMillis(), current }
    this.#underWay = sent
    this.#sentAt = sent.at.monotonic
    this.#nextIsWanted = false
    this.#ask(sent.after, sent)
      .then(
        (pulled) => {
          if (this.#isStillAwaited(sent)) this.#apply(sent, pulled)
        },
        (error: unknown) => {
          if (this.#isStillAwaited(sent)) this.#on.failed?.(error)
        },
      )
      .finally(() => {
        if (!this.#underWay && this.#nextIsWanted) this.#send()
      })
  }

  // One pull at a time: a late reply to one that was given up is nothing, it could take this replica back.
  #isStillAwaited(sent: Sent): boolean {
    if (this.#underWay !== sent) return false
    this.#underWay = undefined
    return true
  }

  #apply(sent: Sent, pulled: Answered): void {
    const { ageMillis } = pulled
    // Relays differ in how far they are. What one of them remembers may add to what is known, and never takes anything back.
    if (ageMillis > 0 && !this.#window.isContinuedBy(sent.after, pulled)) {
      this.#currentIsWanted = true
      // At once, but for a relay that was asked for what is current already: it is asked again at the next tick, and not in a loop.
      this.#nextIsWanted ||= !sent.current
      return
    }
    const goesOn = this.#window.apply(sent.after, pulled)
    if (!goesOn) {
      this.#startedOver += 1
      this.#on.startedOver?.()
    }
    this.#currentIsWanted = false
    this.#givenUp = 0
    this.lease.renew(earlier(sent.at, ageMillis), this.#now(), pulled)
    this.#promised = pulled.promised
    this.#on.applied?.(pulled, goesOn)
    // What was read before the pull arrived is no answer to whoever waited for it.
    if (ageMillis > 0) return
    this.#pulledOrder = sent.order
    for (const { done } of this.#takeWaiters(({ order }) => order < sent.order)) done()
  }

  #takeWaiters(taken: (waiter: Waiter) => boolean): Waiter[] {
    const all = this.#waiters
    this.#waiters = all.filter((waiter) => !taken(waiter))
    return all.filter(taken)
  }
}

const earlier = ({ monotonic, wall }: Moment, byMillis: number): Moment => ({ monotonic: monotonic - byMillis, wall: wall - byMillis })
