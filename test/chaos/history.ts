import type { FeedName } from '#libs/freshness/entities.js'

// What a run writes down, in the order in which it happened, by one clock: the monotonic one of this process.

/**
 * The answers about a token (or to a login), each worse than the one before: denied by its roles, not to be used from there, good for nothing.
 * What is not one of these says nothing, or is a fault of the product.
 */
export const ANSWERS = ['allow', 'deny', 'elsewhere', 'rejected'] as const

export type Answer = (typeof ANSWERS)[number]

export const NO_ANSWER = 'unavailable'

/** How far one feed was. */
export type Place = { readonly feed: FeedName; readonly epoch: string; readonly seq: number }

/**
 * One thing that answers rest on, with a value that changes: what an identity holds in a scope, whether a token stands. An
 * answer about several of them is the worst of their values.
 */
export type TrackId = string

export type Value = { readonly track: TrackId; readonly value: Answer }

/** What an answer has to reflect beside what the bound demands. */
export type Demand =
  | { readonly level: 'bounded' | 'full' }
  | { readonly level: 'at-least'; readonly places: readonly Place[]; readonly change?: number; readonly request?: number }

type Happened =
  /** From before anybody could ask about it. */
  | { readonly type: 'track'; readonly track: TrackId; readonly feed: FeedName; readonly value: Answer }
  /** A change is sent. It may take effect at any time from now on. */
  | { readonly type: 'change'; readonly change: number; readonly what: string; readonly feed: FeedName; readonly values: readonly Value[] }
  /** It is acknowledged, or known to have happened. `exact`: it happened once, at these places and not before. */
  | { readonly type: 'changed'; readonly change: number; readonly places: readonly Place[]; readonly exact: boolean }
  /** A window of time opens or closes by itself, between these two moments once the change has happened that made it. */
  | { readonly type: 'turn'; readonly change: number; readonly track: TrackId; readonly value: Answer; readonly from: number; readonly until: number }
  | { readonly type: 'asked'; readonly request: number; readonly replica: string; readonly subject: string; readonly tracks: readonly TrackId[]; readonly demand: Demand }
  /** The answer, `unavailable`, or what else was answered. */
  | { readonly type: 'answered'; readonly request: number; readonly answer: string; readonly places: readonly Place[] }
  | { readonly type: 'fault'; readonly fault: number; readonly kind: string; readonly target: string }
  | { readonly type: 'mended'; readonly fault: number }
  /** All is answered correctly again, so long after these faults had ended. */
  | { readonly type: 'recovered'; readonly faults: readonly string[]; readonly millis: number; readonly last: string }
  /** A use of what has few was acknowledged: a login with a secret, or a question that was allowed by a token. */
  | { readonly type: 'use'; readonly of: string; readonly limit: number }
  /** A mutating call was refused that should not have been. */
  | { readonly type: 'refused'; readonly what: string; readonly answer: string }
  /** What is found in the end, and what it has to be. */
  | { readonly type: 'found'; readonly what: string; readonly expected: string; readonly found: string }

export type Event = Happened & { readonly at: number }
export type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>
export type Unstamped = Happened
