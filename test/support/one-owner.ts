import { DomainError } from '#libs/domain-error.js'
import { type Answer, type PullServer, pullServer } from '#libs/freshness/serve.js'
import type { Change, Entry } from '#libs/freshness/stamp.js'

// An owner with a database that fits in a list, and a network in which a test decides what arrives, when and whether. The
// owner knows every state that it was in, which is what answers are held against.

export const KEYS = [0, 1, 2]

/** What is true of a key: `version` is another one with every commit that changes it, and with every failover. */
export type Fact = { readonly version: number; readonly gone: boolean }

export type State = {
  readonly time: number
  readonly epoch: number
  readonly head: number
  readonly facts: readonly Fact[]
  readonly changes: readonly Change[]
  readonly pruned: number
}

/** A revision, and what whoever asks for it must be shown at least. */
export type Returned = Pick<State, 'epoch' | 'head' | 'facts'>

/** One key changes, or goes for good, or all of them change by one coarse row. */
export type Edit = { readonly kind: 'change' | 'delete' | 'all'; readonly key: number }

export const epochName = (epoch: number): string => epoch.toString(16).padStart(16, '0')
export const epochNumber = (name: string): number => Number.parseInt(name, 16)

const lost = () => new DomainError('UNAVAILABLE', 'PEER_UNAVAILABLE', 'A service could not be reached in time.')

type Message = { readonly what: string; readonly inDatabase: boolean; deliver(choice: number): void; lose(): void }

/** Whatever is on its way. */
export class Network {
  readonly messages: Message[] = []

  /** Resolves when the message arrives, with what the test chose; rejects when it is lost. */
  travels(what: string, { inDatabase = false } = {}): Promise<number> {
    return new Promise((resolve, reject) => this.messages.push({ what, inDatabase, deliver: resolve, lose: () => reject(lost()) }))
  }

  deliver(place: number, choice: number): void {
    const [message] = this.messages.splice(place % Math.max(1, this.messages.length), 1)
    message?.deliver(choice)
  }

  /** A pull may hang for ever; everything else has a deadline. */
  lose(place: number, hangs: boolean): void {
    const [message] = this.messages.splice(place % Math.max(1, this.messages.length), 1)
    if (message && !(hangs && message.what.startsWith('pull'))) message.lose()
  }

  cutDatabase(): void {
    const cut = this.messages.filter(({ inDatabase }) => inDatabase)
    for (const message of cut) {
      this.messages.splice(this.messages.indexOf(message), 1)
      message.lose()
    }
  }
}

export class Owner {
  readonly log: State[]
  readonly revisions: Returned[]
  readonly bounds = [{ time: -Infinity, millis: 250 }]
  readonly pulls: PullServer
  #open: Edit[] = []
  #versions = KEYS.length
  #epochs = 0

  constructor(private readonly time: () => number, private readonly network: Network) {
    const first = { time: -Infinity, epoch: 0, head: 1, facts: KEYS.map((version) => ({ version, gone: false })), changes: [], pruned: 1 }
    this.log = [first]
    this.revisions = [first]
    this.pulls = pullServer(async (after) => {
      await network.travels('head is read', { inDatabase: true })
      const seen = this.current
      await network.travels('head was read', { inDatabase: true })
      return this.#answer(seen, after)
    })
  }

  get current(): State {
    return this.log[this.log.length - 1] ?? this.log[0] ?? failed('an owner has a state')
  }

  begin(edit: Edit): void {
    if (this.#open.length < 3) this.#open.push(edit)
  }

  /** Ends an open transaction, whichever: the number is taken now. */
  finish(place: number): void {
    const [edit] = this.#open.splice(place % Math.max(1, this.#open.length), 1)
    if (edit) this.commit(edit)
  }

  commit({ kind, key }: Edit): void {
    const { current } = this
    const head = current.head + 1
    const facts = current.facts.map((fact, at) => ((kind === 'all' || at === key) && !fact.gone ? { version: this.#nextVersion(), gone: kind === 'delete' } : fact))
    const entities = [kind === 'all' ? 'organization/1' : `identity/${key}`]
    const state = { ...current, time: this.time(), head, facts, changes: [...current.changes, { seq: head, entities }] }
    this.log.push(state)
    this.revisions.push(state)
  }

  /** Goes on from an earlier state, in a new epoch: what came after it is lost, and its numbers are dealt out again. */
  failover(back: number): void {
    const { epoch } = this.current
    const base = this.log.filter((state) => state.epoch === epoch).at(-1 - back) ?? this.current
    this.#epochs += 1
    this.#open = []
    const facts = base.facts.map(({ gone }) => ({ version: this.#nextVersion(), gone }))
    this.log.push({ ...base, facts, time: this.time(), epoch: this.#epochs })
    this.network.cutDatabase()
  }

  prune(keep: number): void {
    const { current } = this
    const pruned = Math.max(current.pruned, current.head - keep)
    this.log[this.log.length - 1] = { ...current, pruned, changes: current.changes.filter(({ seq }) => seq > pruned) }
  }

  setBound(millis: number): void {
    this.bounds.push({ time: this.time(), millis })
  }

  /** What is published now: a lowered bound counts only after the earlier one has passed. */
  publishedBound(): number {
    const counting = this.bounds.filter(({ millis }, at) => this.time() - (this.bounds[at + 1]?.time ?? Infinity) <= millis)
    return Math.max(...counting.map(({ millis }) => millis))
  }

  async load(key: number): Promise<Entry<Fact>> {
    await this.network.travels('load')
    const { facts, epoch, head } = this.current
    await this.network.travels('load is answered')
    const value = facts[key] ?? failed('a key is known')
    return { value, stamp: { epoch: epochName(epoch), seq: head }, dependencies: [`identity/${key}`, 'organization/1'] }
  }

  #answer({ epoch, head, changes }: State, after: number): Answer {
    const boundMillis = this.bounds.at(-1)?.millis ?? 0
    const organizationId = '1'
    return {
      epoch: epochName(epoch),
      head,
      changes: changes.filter(({ seq }) => seq > after).map((change) => ({ ...change, organizationId })),
      databaseTime: new Date(this.time()),
      boundMillis,
      promised: { durability: 'local', keptBoundMillis: boundMillis },
      ageMillis: 0,
    }
  }

  #nextVersion(): number {
    this.#versions += 1
    return this.#versions
  }
}

export function failed(what: string): never {
  throw new Error(what)
}
