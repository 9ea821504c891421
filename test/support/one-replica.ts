import type { Moment } from '#libs/clock.js'
import { DomainError } from '#libs/domain-error.js'
import { type Consistency, demandsOn, type Demands } from '#libs/freshness/consistency.js'
import { type EntryCache, entryCache } from '#libs/freshness/entry-cache.js'
import { follow } from '#libs/freshness/follow.js'
import type { Follower } from '#libs/freshness/follower.js'
import { type Reader, readThrough } from '#libs/freshness/read-through.js'
import type { PullServer } from '#libs/freshness/serve.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { outgoing } from './hand-feed.js'
import { epochName, epochNumber, type Fact, failed, KEYS, type Network, type Owner, type Returned, type State } from './one-owner.js'

// A replica of the real parts, and the promises that every answer of it is held against.

/** `revision` is one that a commit or an answer returned, 0 the last one, `made-up` one that none did. */
export type Asked = { readonly key: number; readonly level: 'bounded' | 'full' | 'at-least' | 'made-up'; readonly revision: number }

/** Everything that any replica kept there, in order; the store gives back whichever it likes. */
export type HostileStore = Map<number, Entry<Fact>[]>

/** `from`: whom a pull reaches, by what the network chose; the owner where nothing is said. */
type Outside = { readonly owner: Owner; readonly from?: (choice: number) => { readonly pulls: PullServer }; readonly network: Network; readonly store: HostileStore; readonly time: () => number }

/** Has room for one entry: what was known is forgotten again and again. */
const forgetful = <Value>(memory: EntryCache<Value>): EntryCache<Value> => ({
  ...memory,
  admit: (...given) => {
    memory.clear()
    memory.admit(...given)
  },
})


export class Replica {
  readonly outcomes: string[] = []
  asking = 0
  /** What the monotonic clock did not count, and what was added to the wall clock. */
  suspended = 0
  stepped = 0
  readonly #feed: Follower
  readonly #reader: Reader<number, Fact>
  readonly #demands: Demands
  readonly #now: () => Moment
  readonly #lastVersions = new Map<number, number>()
  #lastEpoch = 0

  constructor(private readonly outside: Outside) {
    const { owner, from = () => owner, network, store, time } = outside
    this.#now = () => ({ monotonic: time() - this.suspended, wall: time() + this.stepped })
    this.#feed = follow({
      name: 'registry',
      now: this.#now,
      pull: async (after, { current }) => {
        const choice = await network.travels('pull')
        const answer = await from(choice).pulls({ ...after, current })
        await network.travels('pull is answered')
        return answer
      },
    })
    this.#demands = demandsOn([this.#feed], this.#now)
    this.#reader = readThrough<number, Fact>({
      feed: this.#feed,
      memory: forgetful(entryCache(1_000_000)),
      shared: {
        find: async (key) => {
          const choice = await network.travels('store').catch(() => 0)
          const kept = store.get(key) ?? []
          return kept[choice % (kept.length + 1)]
        },
        keep: (key, entry) => void store.set(key, [...(store.get(key) ?? []), entry]),
      },
      ask: (key) => owner.load(key),
      nameOf: String,
      costOf: () => ({ account: 'one', bytes: 10 }),
    })
  }

  tick(): void {
    this.#feed.tick()
  }

  hint(): void {
    this.#feed.hint()
  }

  /** As services/authorization-check/rpc/judge.ts asks. Rejects where a promise was broken. */
  async ask(asked: Asked): Promise<void> {
    const { owner } = this.outside
    const [start, wanted] = [owner.current, owner.revisions.at(-1 - (asked.revision % owner.revisions.length)) ?? owner.current]
    this.asking += 1
    try {
      const fact = await this.#answer(asked, { start, wanted })
      this.outcomes.push(fact.gone ? 'gone' : 'answered')
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      this.#expectRefusal(error, { asked, wanted })
      this.outcomes.push(error.reason)
      const isGone = this.#reader.last(asked.key)?.value.gone === true
      if (error.kind === 'UNAVAILABLE' && isGone) this.#expectGone(asked.key)
    } finally {
      this.asking -= 1
    }
  }

  async #answer({ key, level }: Asked, { start, wanted }: { start: State; wanted: Returned }): Promise<Fact> {
    const seq = level === 'made-up' ? wanted.head + 1_000 : wanted.head
    const revision = [{ feed: 'registry' as const, shard: 0, epoch: epochName(wanted.epoch), seq }]
    const consistency: Consistency = level === 'at-least' || level === 'made-up' ? { level: 'at-least', revision } : { level }
    const demand = this.#demands.demand(consistency)
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      await demand.meet()
      const entry = this.#reader.near(key) ?? (await this.#reader.read(key, outgoing))
      if (!demand.isMetBy([{ feed: this.#feed, entry }], this.#now())) continue
      this.#expectFresh(key, entry)
      const isOfThisEpoch = wanted.epoch === epochNumber(this.#feed.position.epoch)
      const actsAsFull = level === 'full' || (consistency.level === 'at-least' && !isOfThisEpoch)
      if (actsAsFull) this.#expectAtLeast(key, { entry, state: start, promise: 'full reflects every commit before the call' })
      this.#giveRevision(key, entry)
      if (level === 'at-least' && isOfThisEpoch) this.#expectAtLeast(key, { entry, state: wanted, promise: 'at-least reflects its revision' })
      return entry.value
    }
    throw new DomainError('UNAVAILABLE', 'CHANGES_TOO_FAST', 'again and again')
  }

  /** What this answer returns, for anybody to ask for at another replica: whoever does sees no less than was seen here. */
  #giveRevision(key: number, { value }: Entry<Fact>): void {
    const { epoch, seq: head } = this.#feed.position
    const facts = KEYS.map((one) => ({ version: one === key ? value.version : 0, gone: false }))
    this.outside.owner.revisions.push({ epoch: epochNumber(epoch), head, facts })
  }

  #expectFresh(key: number, { value, stamp }: Entry<Fact>): void {
    const { owner, time } = this.outside
    const epoch = epochNumber(this.#feed.position.epoch)
    if (epoch < this.#lastEpoch) failed(`a replica never goes back: from epoch ${this.#lastEpoch} to ${epoch}`)
    this.#lastEpoch = epoch
    const last = this.#lastVersions.get(key) ?? 0
    if (value.version < last) failed(`a replica never goes back: key ${key} was of version ${last} and is of ${value.version}`)
    this.#lastVersions.set(key, value.version)
    const bound = owner.publishedBound()
    const wasTrue = owner.log.some((state, at) => {
      const until = owner.log[at + 1]?.time ?? Infinity
      return state.epoch >= epoch && state.facts[key]?.version === value.version && time() - until <= bound
    })
    if (!wasTrue) failed(`nothing is answered beyond B: key ${key} of version ${value.version}, stamp ${stamp.epoch} ${stamp.seq}, has not been true for ${bound} ms`)
  }

  #expectAtLeast(key: number, { entry, state, promise }: { entry: Entry<Fact>; state: Returned; promise: string }): void {
    const wanted = state.facts[key]?.version ?? 0
    if (entry.value.version < wanted) failed(`${promise}: key ${key} is of version ${entry.value.version} instead of ${wanted}`)
  }

  #expectRefusal({ kind, reason }: DomainError, { asked, wanted }: { asked: Asked; wanted: Returned }): void {
    if (kind === 'UNAVAILABLE') return
    const isLost = wanted.epoch !== this.outside.owner.current.epoch
    const mayBeAhead = reason === 'REVISION_AHEAD' && (asked.level === 'made-up' || (asked.level === 'at-least' && isLost))
    if (!mayBeAhead) failed(`what was committed is not refused: ${reason} to ${asked.level}`)
  }

  #expectGone(key: number): void {
    if (!this.outside.owner.log.some(({ facts }) => facts[key]?.gone)) failed(`only what never comes back is refused without a lease: key ${key}`)
  }
}
