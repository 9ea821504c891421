import type { FeedName } from '#libs/freshness/entities.js'
import { ANSWERS, type Answer, type Place, type TrackId } from './history.js'

/** A value of a track. It took effect at some time between `sent` and `acked`, which is Infinity while that is not known. */
export type Version = {
  readonly value: Answer
  /** A refusal that nothing takes back: whoever has heard of it needs to know no more. */
  readonly isForEver: boolean
  readonly change: number
  readonly sent: number
  acked: number
  /** Where the change is in its feed, and whether it is known to be nowhere before that. */
  place: Place | undefined
  exact: boolean
  /** A window opened or closed: nobody did it. It binds once its time has come and whoever answers has to know of the window. */
  readonly byTime: boolean
  /** When a window has surely opened or closed. */
  readonly due?: number
}

export type Track = { readonly id: TrackId; readonly feed: FeedName; readonly versions: Version[] }

/** Indices of versions, both ends included. */
export type Range = { readonly low: number; readonly high: number }

/** One track, and which of its versions an answer may rest on. */
export type Candidates = { readonly track: Track; readonly range: Range }

/** What had not surely been replaced `slack` before `from`, and may have been there by `to`. */
export function versionsBetween({ versions }: Track, { from, to, slack }: { from: number; to: number; slack: number }): Range {
  let low = 0
  let high = 0
  for (const [index, version] of versions.entries()) {
    if (index > 0 && version.sent <= to) high = index
    const isSure = version.acked + (version.byTime ? 0 : slack) < from
    // A window binds a replica only once that one has to know of it.
    if (isSure && (!version.byTime || low === index - 1)) low = index
  }
  return { low, high }
}

/** The newest version that whoever is this far has seen. */
export function floorAt({ feed, versions }: Track, places: readonly Place[]): number {
  return versions.findLastIndex(({ place }) => place !== undefined && places.some((at) => at.feed === feed && at.epoch === place.epoch && at.seq >= place.seq))
}

/** The newest version that whoever is no further can have seen. */
export function ceilingAt({ feed, versions }: Track, places: readonly Place[]): number {
  const isBeyond = ({ place, exact }: Version) =>
    exact && place !== undefined && places.some((at) => at.feed === feed && at.epoch === place.epoch && at.seq < place.seq)
  const first = versions.findIndex(isBeyond)
  return first === -1 ? Infinity : first - 1
}

export const narrowed = ({ low, high }: Range, by: { low?: number; high?: number }): Range => ({
  low: Math.max(low, by.low ?? 0),
  high: Math.min(high, by.high ?? Infinity),
})

const valuesIn = ({ track, range }: Candidates): Set<Answer> => new Set(track.versions.slice(range.low, range.high + 1).map(({ value }) => value))

/** Every answer that some choice of one version of each track makes: the worst of their values. */
export function possibleAnswers(all: readonly Candidates[]): ReadonlySet<Answer> {
  const values = all.map(valuesIn)
  const isPossible = (answer: Answer, badness: number) => values.some((one) => one.has(answer)) && values.every((one) => ANSWERS.slice(0, badness + 1).some((no) => one.has(no)))
  return new Set(ANSWERS.filter(isPossible))
}

/** The oldest version of one of the tracks that still makes the answer. */
export function oldestFor(answer: Answer, all: readonly Candidates[], about: Candidates): number {
  const others = all.filter((one) => one !== about)
  for (let index = about.range.low; index < about.range.high; index += 1) {
    if (possibleAnswers([...others, { track: about.track, range: { low: index, high: index } }]).has(answer)) return index
  }
  return about.range.high
}
