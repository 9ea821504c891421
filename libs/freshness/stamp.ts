import type { EntityName } from './entities.js'

/** Where a feed stood, seen in the same snapshot as the rows of an entry. */
export type Stamp = { readonly epoch: string; readonly seq: number }

/** A value that was true where the feed stood at `stamp`, and still is while none of its dependencies has changed. */
export type Entry<Value> = { readonly stamp: Stamp; readonly dependencies: readonly EntityName[]; readonly value: Value }

/** One change of a feed, and everything that it changes. */
export type Change = { readonly seq: number; readonly entities: readonly EntityName[] }

/** What a pull brought, all from one snapshot of the owner's primary. */
export type Pulled = {
  readonly epoch: string
  readonly head: number
  /** In order of seq. All after the asked position, or fewer where the owner no longer has them all. */
  readonly changes: readonly Change[]
  readonly databaseTime: Date
  readonly boundMillis: number
  readonly promised: Promised
  /** How long before the pull arrived this was asked of the owner; 0 where it was read after the pull arrived, as an owner reads. */
  readonly ageMillis: number
}

/** How long a commit lasts: over a loss of the server's memory, over a loss of the server. The weakest first. */
export const DURABILITIES = ['none', 'local', 'replicated'] as const

export type Durability = (typeof DURABILITIES)[number]

/** What an owner promises of its commits. */
export type Promised = {
  readonly durability: Durability
  /** The bound that every replica keeps by now: a lowered one counts only after the earlier one has passed. */
  readonly keptBoundMillis: number
}

/** `ahead`: newer than what was pulled; `elsewhere`: of another epoch, where numbers mean other changes. */
export type Verdict = 'usable' | 'stale' | 'ahead' | 'elsewhere'

type Brought = Pick<Pulled, 'epoch' | 'head' | 'changes'>

const REMEMBERED = 50_000

/** What this replica knows of a feed: how far it was applied, and which entities changed since the window's start. */
export class ChangeWindow {
  #position: Stamp = { epoch: '', seq: 0 }
  #start = 0
  readonly #changed = new Map<EntityName, number>()

  constructor(private readonly remembered = REMEMBERED) {}

  /** Where the feed was applied up to; the epoch is empty before the first pull. The same object until it moves. */
  get position(): Stamp {
    return this.#position
  }

  /** Whether what a pull brought, that asked for what is after `asked`, adds to what is known. */
  isContinuedBy(asked: Stamp, { epoch, head, changes }: Brought): boolean {
    // A transaction takes one number and leaves no gap, so fewer changes than numbers are changes that are gone.
    const isWhole = changes.length === head - asked.seq
    // A head that went back says that the epoch should have changed: a second belt.
    return epoch === this.#position.epoch && asked.epoch === epoch && head >= this.#position.seq && isWhole
  }

  /** Applies what a pull brought that asked for what is after `asked`. False where all that was known is void now. */
  apply(asked: Stamp, brought: Brought): boolean {
    const { epoch, head, changes } = brought
    const goesOn = this.isContinuedBy(asked, brought)
    if (goesOn) for (const change of changes) this.#remember(change)
    else this.#forgetAll(head)
    if (!goesOn || head !== this.#position.seq) this.#position = { epoch, seq: head }
    return goesOn
  }

  /** The one test that every entry takes, wherever it comes from. */
  test({ stamp, dependencies }: Entry<unknown>): Verdict {
    if (stamp.epoch !== this.#position.epoch) return 'elsewhere'
    if (stamp.seq < this.#start) return 'stale'
    if (stamp.seq > this.#position.seq) return 'ahead'
    for (const name of dependencies) {
      const changed = this.#changed.get(name)
      if (changed !== undefined && changed > stamp.seq) return 'stale'
    }
    return 'usable'
  }

  #remember({ seq, entities }: Change): void {
    for (const name of entities) {
      // Moved to the end, so that the map is in order of change.
      this.#changed.delete(name)
      this.#changed.set(name, seq)
    }
    for (const [name, seqOfOldest] of this.#changed) {
      if (this.#changed.size <= this.remembered) break
      this.#changed.delete(name)
      this.#start = Math.max(this.#start, seqOfOldest)
    }
  }

  #forgetAll(head: number): void {
    this.#changed.clear()
    this.#start = head
  }
}
