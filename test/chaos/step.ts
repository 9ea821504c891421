import { setTimeout as sleep } from 'node:timers/promises'
import { DomainError } from '#libs/domain-error.js'
import type { changedInExchange, changedInRegistry, FeedName } from '#libs/freshness/entities.js'
import type { Answer, EventOf, TrackId } from './history.js'
import type { Group, Identity } from './group.js'
import { placesIn } from './places.js'
import { answerOf } from './recorder.js'

export type RegistryMethod = keyof typeof changedInRegistry
/** Of the installation, and so of no group. */
export type KeyMethod = Extract<keyof typeof changedInExchange, `${string}SigningKey`>
export type ExchangeMethod = Exclude<keyof typeof changedInExchange, KeyMethod>

/** What a method can do to an answer that was given before. */
export type Changes = 'takes' | 'gives' | 'either' | 'nothing'

/** One acknowledged call. Without a revision it is only known that it has happened. `keep` puts down ids and etags. `turn`: what is to come of it by itself. */
export type Done = { readonly revision?: string; readonly keep?: () => void; readonly turn?: Omit<EventOf<'turn'>, 'type' | 'at' | 'change'> }

export type Turn = { readonly track: TrackId; readonly value: Answer; readonly time: Date; readonly ends: boolean }

/** One change of one group. */
export type Step = {
  readonly what: string
  readonly feed: FeedName
  readonly about?: Identity | undefined
  /** Makes it true in what is known, before it is sent. */
  readonly apply?: () => void
  readonly attempt: () => Promise<Done>
  /** What an error means once an earlier attempt may have been carried out. Undefined: what it means the first time. */
  readonly again?: (error: DomainError) => Promise<Done | undefined>
  /** After an attempt of which nothing was heard. */
  readonly whenUnclear?: () => void
  readonly turn?: Turn | undefined
  /** Sent the moment that this one is acknowledged, while the askers are at it. */
  readonly then?: () => Step | undefined
}

/** How one method is used: a step where there is something to use it on. */
export type Planner = { readonly changes: Changes; readonly weight: number; readonly plan: (group: Group, about: Identity) => Step | undefined }

class Refused extends Error {}

/** How long a mutating call may take, all in all of the services. */
export const CALL_MILLIS = 2_000
const NOTHING_HAPPENED = new Set(['RESOURCE_EXHAUSTED', 'ABORTED'])

/** Whoever changes something. */
export type Actor = Pick<Group, 'tools' | 'random'>

/** What was heard of a change, and what turns by itself because of it. */
type Seen = { readonly revision: string; readonly turns: readonly TrackId[] }

/** Sees through a change that was told, and tells that it has happened, or that it was refused: then undefined. */
export async function seeThrough(actor: Actor, step: Pick<Step, 'what' | 'attempt' | 'again' | 'whenUnclear'>, change: number): Promise<Seen | undefined> {
  const { recorder } = actor.tools
  try {
    const { done: { revision = '', keep, turn }, isClear } = await settle(actor, step)
    if (turn) recorder.note({ type: 'turn', change, ...turn })
    recorder.note({ type: 'changed', change, places: placesIn(revision), exact: isClear })
    keep?.()
    if (!isClear) step.whenUnclear?.()
    return { revision, turns: turn ? [turn.track] : [] }
  } catch (error) {
    recorder.note({ type: 'refused', what: step.what, answer: error instanceof Refused ? error.message : answerOf(error) })
    return undefined
  }
}

/** Attempts until it is known to have happened, once or again. Throws Refused where it is refused. */
async function settle({ tools, random }: Actor, step: Pick<Step, 'what' | 'attempt' | 'again'>): Promise<{ done: Done; isClear: boolean }> {
  let isClear = true
  for (;;) {
    try {
      return { done: await step.attempt(), isClear }
    } catch (error) {
      if (tools.gaveUp()) throw new Refused(`${step.what}: ${answerOf(error)} until the end`)
      if (!(error instanceof DomainError)) throw error
      const meant = isClear ? undefined : await read(() => step.again?.(error), () => tools.gaveUp())
      if (meant) return { done: meant, isClear }
      if (error.kind === 'UNAVAILABLE') isClear = false
      else if (!NOTHING_HAPPENED.has(error.kind) || error.reason === 'ETAG_STALE') throw new Refused(`${step.what}: ${answerOf(error)}`)
    }
    await sleep(random.between(20, 80))
  }
}

/** Reading insists as well. */
async function read<T>(reading: () => Promise<T> | undefined, gaveUp: () => boolean): Promise<T | undefined> {
  for (;;) {
    try {
      return await reading()
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== 'UNAVAILABLE' || gaveUp()) throw error
      await sleep(50)
    }
  }
}
