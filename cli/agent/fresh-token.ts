import type { Moment } from '#libs/clock.js'

// When another token is due, and which may be handed out: pure, time and chance come in. Times are compared by the clock of this
// machine alone, from the moment at which it was asked for: how far the server's clock is off does not matter.

export type Token = {
  readonly accessToken: string
  readonly tokenId: string
  readonly identityId: string
  readonly organizationId: string
  /** From the moment at which it was asked for to the token's end, or less. */
  readonly lifeMillis: number
  readonly origin: Origin
  /** How much later than this one a renewal may end; infinite where there is no maximum, undefined where nobody said. */
  readonly spareMillis: number | undefined
}

/** Given: by an operator, and taken as it is. */
export type Origin = 'login' | 'renewal' | 'given'

/** What a renewal may begin from. */
export type Holding = { readonly token: Token; readonly remainingMillis: number }

/** Why there is no other token. */
export type Setback = {
  /** The credential itself was refused: an operator must act. Anything else may pass by itself. */
  readonly isRefusal: boolean
  /** As the server asked for. */
  readonly retryAfterMillis: number | undefined
}

/** What lives shorter can't be kept fresh. */
export const MIN_LIFE_MILLIS = 2_000
/** Between the starts of two attempts, whatever becomes of them and whatever the server says. */
export const MIN_INTERVAL_MILLIS = 1_000
const FIRST_BACKOFF_MILLIS = 1_000
const MAX_BACKOFF_MILLIS = 60_000
/** A server that asks for more than this is asked again all the same: it may have been told nonsense. */
const MAX_RETRY_AFTER_MILLIS = 600_000
/** Who asks for a token needs it for a call that takes some time. */
const MAX_MARGIN_MILLIS = 10_000
const MIN_MARGIN_MILLIS = 250

type Held = { readonly token: Token; readonly since: Moment; readonly refreshAge: number; age: number }

export class FreshToken {
  readonly #chance: () => number
  #held: Held | undefined
  /** Replaced, and not yet expired. */
  #replaced: Held[] = []
  #started: Moment | undefined
  #isUnderWay = false
  #isHurried = false
  #setbacks = 0
  #isRefused = false
  #retry: { readonly since: Moment; readonly millis: number } | undefined

  /** `chance` is from 0 to below 1: what happens to many agents at once must not make them log in at once. */
  constructor(chance: () => number) {
    this.#chance = chance
  }

  /** Whether to ask for another token now. */
  isDue(now: Moment): boolean {
    if (this.#isUnderWay) return false
    // By the clock that can't be set: each jump of the other would make an attempt.
    if (this.#started && now.monotonic - this.#started.monotonic < MIN_INTERVAL_MILLIS) return false
    return this.#isHurried || this.dueInMillis(now) <= 0
  }

  /** What is left until the next attempt; who asks when there is no token can be told. */
  dueInMillis(now: Moment): number {
    if (this.#retry) return this.#retry.millis - ageOf(this.#retry.since, now)
    return this.#held ? this.#held.refreshAge - grown(this.#held, now) : 0
  }

  /** Nothing that has expired, and nothing where somebody knows better than the token. */
  renewable(now: Moment): Holding | undefined {
    if (!this.#held || this.#isHurried) return undefined
    const remainingMillis = this.remainingMillis(now)
    return remainingMillis > 0 ? { token: this.#held.token, remainingMillis } : undefined
  }

  begin(now: Moment): void {
    this.#started = now
    this.#isUnderWay = true
    this.#isHurried = false
  }

  /** The attempt that is under way brought this. */
  succeeded(token: Token, now: Moment): void {
    const since = this.#started ?? now
    this.#isUnderWay = false
    this.#isRefused = false
    this.#setbacks = 0
    this.#retry = undefined
    // What was renewed is revoked with what it became.
    if (this.#held && this.#held.token.tokenId !== token.tokenId) this.#replaced.push(this.#held)
    this.#replaced = this.#replaced.filter((held) => grown(held, now) < held.token.lifeMillis)
    this.#held = { token, since, refreshAge: token.lifeMillis * (0.7 + 0.1 * this.#chance()), age: 0 }
  }

  /** The attempt that is under way brought nothing: what is held stays. */
  failed({ isRefusal, retryAfterMillis = 0 }: Setback, now: Moment): void {
    this.#isUnderWay = false
    this.#isRefused = isRefusal
    const backoff = Math.min(MAX_BACKOFF_MILLIS, FIRST_BACKOFF_MILLIS * 2 ** Math.min(this.#setbacks, 16))
    const asked = Math.min(MAX_RETRY_AFTER_MILLIS, retryAfterMillis)
    const chance = this.#chance()
    this.#setbacks += 1
    this.#retry = { since: now, millis: Math.max(backoff * (0.5 + 0.5 * chance), asked * (1 + 0.2 * chance)) }
  }

  /** Somebody knows better: the next look is an attempt, from nothing. */
  hurry(): void {
    this.#isHurried = true
  }

  /** What may be handed out: never a token that has expired, or is about to. */
  usable(now: Moment): Token | undefined {
    if (!this.#held) return undefined
    const { token } = this.#held
    const margin = Math.max(MIN_MARGIN_MILLIS, Math.min(MAX_MARGIN_MILLIS, token.lifeMillis / 10))
    return grown(this.#held, now) < token.lifeMillis - margin ? token : undefined
  }

  /** What is left of the token that may be handed out. */
  remainingMillis(now: Moment): number {
    return this.#held ? Math.max(0, this.#held.token.lifeMillis - grown(this.#held, now)) : 0
  }

  /** Whether the server refused the credential the last time that it was asked. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  /** Everything that was obtained and has not expired by itself: of each lineage the latest. */
  alive(now: Moment): Token[] {
    return [...this.#replaced, ...(this.#held ? [this.#held] : [])].filter((held) => grown(held, now) < held.token.lifeMillis).map(({ token }) => token)
  }
}

/** By the clock on which more time has passed: the monotonic one stands still while a machine is suspended, the other can be set back. */
const ageOf = (since: Moment, now: Moment): number => Math.max(now.monotonic - since.monotonic, now.wall - since.wall)

/** The same, and never less than it was: what has expired stays so when a clock is set back. */
function grown(held: Held, now: Moment): number {
  held.age = Math.max(held.age, ageOf(held.since, now))
  return held.age
}
