import { ANSWERS, type Answer, type Event, type EventOf, NO_ANSWER, type Place, type TrackId } from './history.js'
import { type Candidates, ceilingAt, floorAt, narrowed, oldestFor, possibleAnswers, type Range, type Track, versionsBetween } from './tracks.js'

// Finds what must not be. It knows nothing of how the system works, only what was sent, acknowledged, asked and answered.

export type Rule = (typeof RULES)[number]

/** The worst first. */
export const RULES = [
  /** Allowed, asked later than the bound after the acknowledgement of what forbids it. */
  'allowed-too-late',
  /** Another refusal than one that was due within the bound. */
  'outdated',
  /** Refused, though it was allowed all along: a fault may make an answer impossible, never another one. */
  'refused-by-fault',
  /** `full` or `at_least` without what it has to reflect. */
  'demand-missed',
  /** An answer that is not the one of the revision that it says it is. */
  'not-its-revision',
  /** A replica that returns to an older answer. */
  'went-back',
  /** A status that no fault may cause. */
  'status',
  /** Not answered correctly soon after the last fault. */
  'recovery',
  /** Acknowledged and gone, or used more often than it could be. */
  'lost',
] as const

export type Violation = { readonly rule: Rule; readonly at: number; readonly text: string; readonly request?: number; readonly tracks: readonly TrackId[]; readonly replica?: string }

/** How many answers fell where a rule could have been broken. */
export type Windows = Record<'revoked' | 'allowedUnderFault' | 'demanded' | 'revision' | 'replica', number>

export type Settings = { readonly boundMillis: number; readonly recoverWithinMillis: number }

/** For so long after the bound has passed a revocation counts as fresh. */
const AFTER_BOUND_MILLIS = 2_000
const KEPT_FLOORS = 5_000

type Asked = EventOf<'asked'> & { readonly floors: ReadonlyMap<TrackId, number>; readonly demandFloors: ReadonlyMap<TrackId, number>; underFault: boolean }

export class Checker {
  readonly windows: Windows = { revoked: 0, allowedUnderFault: 0, demanded: 0, revision: 0, replica: 0 }
  /** How many of those in the window `revoked` fell there by each method. */
  readonly revokedBy = new Map<string, number>()
  readonly violations: Violation[] = []
  readonly #tracks = new Map<TrackId, Track>()
  readonly #changes = new Map<number, { readonly what: string; readonly sent: number; readonly feed: string; readonly tracks: TrackId[] }>()
  readonly #asked = new Map<number, Asked>()
  /** By replica and track, the oldest version that it may still answer from. */
  readonly #floors = new Map<string, number>()
  readonly #answered = new Map<number, ReadonlyMap<TrackId, number>>()
  readonly #uses = new Map<string, number>()
  #faults = 0

  constructor(private readonly settings: Settings) {}

  take(event: Event): void {
    switch (event.type) {
      case 'track':
        return this.#begin(event)
      case 'change':
        return this.#change(event)
      case 'changed':
        return this.#changed(event)
      case 'turn':
        return this.#turn(event)
      case 'asked':
        return this.#ask(event)
      case 'answered':
        return this.#answer(event)
      case 'fault':
        this.#faults += 1
        for (const asked of this.#asked.values()) asked.underFault = true
        return
      case 'mended':
        this.#faults -= 1
        return
      case 'recovered':
        if (event.millis > this.settings.recoverWithinMillis) this.#report('recovery', event, `not correct again ${event.millis.toFixed(0)} ms after ${event.faults.join(', ')}; last ${event.last}`)
        return
      case 'use':
        return this.#use(event)
      case 'refused':
        return this.#report('status', event, `${event.what} was refused with ${event.answer}`)
      case 'found':
        if (event.expected !== event.found) this.#report('lost', event, `${event.what} is ${event.found}, not ${event.expected}`)
    }
  }

  #report(rule: Rule, { at }: Event, text: string, about: Partial<Violation> = {}): void {
    this.violations.push({ rule, at, text, tracks: [], ...about })
  }

  #begin({ track, feed, value }: EventOf<'track'>): void {
    const first = { value, isForEver: false, change: 0, sent: -Infinity, acked: -Infinity, place: undefined, exact: false, byTime: false }
    this.#tracks.set(track, { id: track, feed, versions: [first] })
  }

  #change({ at, change, what, feed, values }: EventOf<'change'>): void {
    this.#changes.set(change, { what, sent: at, feed, tracks: values.map(({ track }) => track) })
    for (const { track, value } of values) {
      // A principal's name can be given again.
      const isForEver = value === 'rejected' && what !== 'DeletePrincipal' && (feed === 'exchange' || what === 'DeleteIdentity')
      this.#tracks.get(track)?.versions.push({ value, isForEver, change, sent: at, acked: Infinity, place: undefined, exact: false, byTime: false })
    }
  }

  #changed({ at, change, places, exact }: EventOf<'changed'>): void {
    for (const id of this.#changes.get(change)?.tracks ?? []) {
      const { feed, versions = [] } = this.#tracks.get(id) ?? {}
      const version = versions.findLast((one) => one.change === change && !one.byTime)
      if (version) Object.assign(version, { acked: at, exact, place: places.find((place) => place.feed === feed) })
      const turn = versions.findLast((one) => one.change === change && one.byTime)
      if (turn) turn.acked = Math.max(turn.due ?? 0, at + this.settings.boundMillis)
    }
  }

  #turn({ change, track, value, from, until }: EventOf<'turn'>): void {
    this.#changes.get(change)?.tracks.push(track)
    this.#tracks.get(track)?.versions.push({ value, isForEver: false, change, sent: from, acked: Infinity, due: until, place: undefined, exact: false, byTime: true })
  }

  #ask(event: EventOf<'asked'>): void {
    const { demand, replica } = event
    const floors = new Map(event.tracks.map((track) => [track, this.#floors.get(`${replica} ${track}`) ?? 0]))
    const demandFloors = new Map(event.tracks.map((id) => [id, this.#demandFloor(id, demand)]))
    this.#asked.set(event.request, { ...event, floors, demandFloors, underFault: this.#faults > 0 })
  }

  #demandFloor(id: TrackId, demand: EventOf<'asked'>['demand']): number {
    const track = this.#tracks.get(id)
    if (!track || demand.level !== 'at-least') return 0
    const change = demand.change === undefined ? undefined : this.#changes.get(demand.change)
    // Whatever was acknowledged before a change was sent comes before it in its feed.
    const isBefore = (one: Track['versions'][number]) => !one.byTime && change?.feed === track.feed && (one.change === demand.change || one.acked <= change.sent)
    const answered = demand.request === undefined ? undefined : this.#answered.get(demand.request)?.get(id)
    return Math.max(0, floorAt(track, demand.places), track.versions.findLastIndex(isBefore), answered ?? 0)
  }

  #answer(event: EventOf<'answered'>): void {
    const asked = this.#asked.get(event.request)
    this.#asked.delete(event.request)
    if (!asked || event.answer === NO_ANSWER) return
    const answer = ANSWERS.find((one) => one === event.answer)
    if (answer) return this.#judge(asked, event, answer)
    this.#report('status', event, `${asked.replica} answered ${event.answer}`, { request: event.request, tracks: asked.tracks, replica: asked.replica })
  }

  #judge(asked: Asked, event: EventOf<'answered'>, answer: Answer): void {
    const { boundMillis } = this.settings
    const tracks = asked.tracks.map((id) => this.#tracks.get(id)).filter((track) => track !== undefined)
    const within = (slack: number): Candidates[] => tracks.map((track) => ({ track, range: versionsBetween(track, { from: asked.at, to: event.at, slack }) }))
    const bounded = within(boundMillis)
    const base = asked.demand.level === 'full' ? within(0) : bounded
    const demanded = narrowedBy(base, ({ id }) => ({ low: asked.demandFloors.get(id) ?? 0 }))
    const pinned = event.places.length === 0 ? demanded : narrowedBy(demanded, (track) => pinOf(track, event.places))
    const seen = narrowedBy(pinned, ({ id }) => ({ low: asked.floors.get(id) ?? 0 }))
    const stages: [Rule, readonly Candidates[]][] = [
      [answer === 'allow' ? 'allowed-too-late' : possibleAnswers(bounded).has('allow') ? 'refused-by-fault' : 'outdated', bounded],
      ['demand-missed', demanded],
      ['not-its-revision', pinned],
      ['went-back', seen],
    ]
    this.#count(asked, { bounded, demanded, pinned, seen })
    const broken = stages.find(([, candidates]) => !possibleAnswers(candidates).has(answer))
    if (broken) return this.#blame(broken[0], { asked, event, answer, candidates: broken[1] })
    // It may be said by a replica that has not come as far as was demanded: nothing that is newer could change it.
    if (answer === 'rejected' && bounded.some(isOverForEver)) return
    const oldest = new Map(seen.map((one) => [one.track.id, notByTime(one.track, oldestFor(answer, seen, one))]))
    for (const [id, index] of oldest) {
      const key = `${asked.replica} ${id}`
      this.#floors.set(key, Math.max(index, this.#floors.get(key) ?? 0))
    }
    this.#answered.set(event.request, oldest)
    this.#answered.delete(event.request - KEPT_FLOORS)
  }

  #blame(rule: Rule, { asked, event, answer, candidates }: { asked: Asked; event: EventOf<'answered'>; answer: Answer; candidates: readonly Candidates[] }): void {
    const possible = [...possibleAnswers(candidates)].join(' or ')
    const text = `${asked.replica} answered ${answer} about ${asked.subject}, ${asked.demand.level}; it could be ${possible === '' ? 'nothing' : possible}`
    this.#report(rule, event, text, { request: event.request, tracks: asked.tracks, replica: asked.replica })
  }

  #count({ at, underFault }: Asked, { bounded, demanded, pinned, seen }: Record<'bounded' | 'demanded' | 'pinned' | 'seen', readonly Candidates[]>): void {
    const differ = (one: readonly Candidates[], other: readonly Candidates[]) => possibleAnswers(one).size !== possibleAnswers(other).size
    const due = at - this.settings.boundMillis - AFTER_BOUND_MILLIS
    const isRevoked = ({ track: { versions }, range: { low } }: Candidates) =>
      low > 0 && versions[low - 1]?.value === 'allow' && versions[low]?.value !== 'allow' && (versions[low]?.acked ?? 0) >= due
    const revoked = bounded.filter(isRevoked)
    if (revoked.length > 0) this.windows.revoked += 1
    for (const { track: { versions }, range: { low } } of revoked) this.#countRevoked(versions[low]?.change ?? 0)
    const possible = possibleAnswers(bounded)
    if (underFault && possible.size === 1 && possible.has('allow')) this.windows.allowedUnderFault += 1
    if (differ(bounded, demanded)) this.windows.demanded += 1
    if (differ(demanded, pinned)) this.windows.revision += 1
    if (differ(pinned, seen)) this.windows.replica += 1
  }

  #countRevoked(change: number): void {
    const what = this.#changes.get(change)?.what ?? ''
    this.revokedBy.set(what, (this.revokedBy.get(what) ?? 0) + 1)
  }

  #use(event: EventOf<'use'>): void {
    const uses = (this.#uses.get(event.of) ?? 0) + 1
    this.#uses.set(event.of, uses)
    if (uses > event.limit) this.#report('lost', event, `${uses} ${event.of}, which allows ${event.limit}`)
  }
}

/** The checker over a whole history. */
export function check(history: readonly Event[], settings: Settings): Checker {
  const checker = new Checker(settings)
  for (const event of history) checker.take(event)
  return checker
}

const isOverForEver = ({ track: { versions }, range: { low, high } }: Candidates): boolean => versions.slice(low, high + 1).some((version) => version.isForEver)

const narrowedBy = (all: readonly Candidates[], by: (track: Track) => { low?: number; high?: number }): Candidates[] =>
  all.map(({ track, range }) => ({ track, range: narrowed(range, by(track)) }))

const pinOf = (track: Track, places: readonly Place[]): Range => ({ low: floorAt(track, places), high: ceilingAt(track, places) })

// Around a window's end a replica may deny and allow again, as the time that it knows becomes more exact.
function notByTime({ versions }: Track, index: number): number {
  return versions[index]?.byTime === true ? index - 1 : index
}
