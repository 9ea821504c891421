import type { Moment } from '#libs/clock.js'
import { DomainError } from '#libs/domain-error.js'
import type { FeedName } from '#libs/freshness/entities.js'
import { follow } from '#libs/freshness/follow.js'
import type { Follower } from '#libs/freshness/follower.js'
import type { Entry, Pulled, Stamp } from '#libs/freshness/stamp.js'
import type { Outgoing } from '#libs/rpc/client.js'

// A follower in the hands of a test: both clocks stand still until they are moved, and a pull is answered when it says so.

/** For calls that nobody waits for, from nowhere. */
export const outgoing: Outgoing = { deadline: Infinity, trace: { requestId: '', traceId: '', spanId: '', parentSpanId: undefined, flags: '00' } }

/** Lets everything go on that waits for nothing but promises. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Both clocks of one machine. */
export type HandClock = {
  readonly now: () => Moment
  /** Time goes by. */
  readonly pass: (millis: number) => void
  /** It goes by while the machine is suspended: the monotonic clock stands still. */
  readonly suspend: (millis: number) => void
  /** Somebody sets the wall clock. */
  readonly setWall: (byMillis: number) => void
}

export function handClock(): HandClock {
  let moment: Moment = { monotonic: 1_000, wall: 1_700_000_000_000 }
  const move = (monotonic: number, wall: number) => {
    moment = { monotonic: moment.monotonic + monotonic, wall: moment.wall + wall }
  }
  return { now: () => moment, pass: (millis) => move(millis, millis), suspend: (millis) => move(0, millis), setWall: (millis) => move(0, millis) }
}

/** Epochs as text that revisions take. */
export const EPOCH = 'aaaaaaaaaaaaaaaa'
export const OTHER_EPOCH = 'bbbbbbbbbbbbbbbb'

export const pulledUpTo = (head: number, of: Partial<Pulled> = {}): Pulled => ({
  epoch: EPOCH,
  head,
  changes: [],
  databaseTime: new Date(1_700_000_000_000),
  boundMillis: 250,
  ageMillis: 0,
  promised: { durability: 'local', keptBoundMillis: 250 },
  ...of,
})

export const entryAt = <Value>(seq: number, value: Value, of: { epoch?: string; dependencies?: readonly string[] } = {}): Entry<Value> => ({
  stamp: { epoch: of.epoch ?? EPOCH, seq },
  dependencies: of.dependencies ?? ['identity/1'],
  value,
})

export type SentPull = {
  readonly after: Stamp
  readonly withinMillis: number
  readonly current: boolean
  readonly answer: (pulled: Pulled) => Promise<void>
  readonly fail: () => Promise<void>
}

export type HandFeed = {
  readonly feed: Follower
  /** Every pull that was sent, the first one first. */
  readonly pulls: readonly SentPull[]
  /** How many times the replica started over, and how many pulls failed. */
  readonly told: { startedOver: number; failed: number; pulled: number }
  /** Answers the last pull. */
  readonly answer: (head: number, of?: Partial<Pulled>) => Promise<void>
}

export function handFeed(clock: HandClock, name: FeedName = 'registry'): HandFeed {
  const pulls: SentPull[] = []
  const told = { startedOver: 0, failed: 0, pulled: 0 }
  const feed = follow({
    name,
    now: clock.now,
    pull: (after, { withinMillis, current }) =>
      new Promise<Pulled>((resolve, reject) => {
        pulls.push({
          after,
          withinMillis,
          current,
          answer: (pulled) => {
            resolve(pulled)
            return settle()
          },
          fail: () => {
            reject(new DomainError('UNAVAILABLE', 'PEER_UNAVAILABLE', 'A service could not be reached in time.'))
            return settle()
          },
        })
      }),
    on: {
      startedOver: () => void (told.startedOver += 1),
      failed: () => void (told.failed += 1),
      applied: () => void (told.pulled += 1),
    },
  })
  return {
    feed,
    pulls,
    told,
    answer: async (head, of) => {
      const last = pulls.at(-1)
      if (!last) throw new Error('nothing was pulled')
      await last.answer(pulledUpTo(head, of))
    },
  }
}

/** What became of a promise so far. */
export type Watched<T> = { outcome: 'waits' | { value: T } | { error: unknown } }

export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { outcome: 'waits' }
  promise.then(
    (value) => void (watched.outcome = { value }),
    (error: unknown) => void (watched.outcome = { error }),
  )
  return watched
}

/** A follower that has pulled up to 7 and waits. */
export async function followedUpTo7() {
  const clock = handClock()
  const hand = handFeed(clock)
  hand.feed.tick()
  await hand.answer(7)
  return { clock, ...hand }
}
