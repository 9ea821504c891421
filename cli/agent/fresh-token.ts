import type { Moment } from '#libs/clock.js'

// When to log in, and which token may be handed out: pure, time and chance come in. Times are compared by the clock of this
// machine alone, from the moment at which a login was sent: how far the server's clock is off does not matter.

export type Token = {
  readonly accessToken: string
  readonly tokenId: string
  readonly identityId: string
  readonly organizationId: string
  /** From the login's start to the token's end, or less. */
  readonly lifeMillis: number
}

/** Why a login brought no token. */
export type Setback = {
  /** The credential itself was refused: an operator must act. Anything else may pass by itself. */
  readonly isRefusal: boolean
  /** As the server asked for. */
  readonly retryAfterMillis: number | undefined
}

/** What lives shorter can't be kept fresh. */
export const MIN_LIFE_MILLIS = 2_000
/** Between the starts of two logins, whatever becomes of them and whatever the server says. */
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

  /** Whether to log in now. */
  isDue(now: Moment): boolean {
    if (this.#isUnderWay) return false
    // By the clock that can't be set: each jump of the other would make a login.
    if (this.#started && now.monotonic - this.#started.monotonic < MIN_INTERVAL_MILLIS) return false
    return this.#isHurried || this.dueInMillis(now) <= 0
  }

  /** What is left until the next login; who asks when there is no token can be told. */
  dueInMillis(now: Moment): number {
    if (this.#retry) return this.#retry.millis - ageOf(this.#retry.since, now)
    return this.#held ? this.#held.refreshAge - grown(this.#held, now) : 0
  }

  begin(now: Moment): void {
    this.#started = now
    this.#isUnderWay = true
    this.#isHurried = false
  }

  /** The login that is under way brought this. */
  succeeded(token: Token, now: Moment): void {
    const since = this.#started ?? now
    this.#isUnderWay = false
    this.#isRefused = false
    this.#setbacks = 0
    this.#retry = undefined
    if (this.#held) this.#replaced.push(this.#held)
    this.#replaced = this.#replaced.filter((held) => grown(held, now) < held.token.lifeMillis)
    this.#held = { token, since, refreshAge: token.lifeMillis * (0.7 + 0.1 * this.#chance()), age: 0 }
  }

  /** The login that is under way brought nothing: what is held stays. */
  failed({ isRefusal, retryAfterMillis = 0 }: Setback, now: Moment): void {
    this.#isUnderWay = false
    this.#isRefused = isRefusal
    const backoff = Math.min(MAX_BACKOFF_MILLIS, FIRST_BACKOFF_MILLIS * 2 ** Math.min(this.#setbacks, 16))
    const asked = Math.min(MAX_RETRY_AFTER_MILLIS, retryAfterMillis)
    const chance = this.#chance()
    this.#setbacks += 1
    this.#retry = { since: now, millis: Math.max(backoff * (0.5 + 0.5 * chance), asked * (1 + 0.2 * chance)) }
  }

  /** Somebody knows better: the next look is a login. */
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

  /** Everything that was obtained and has not expired by itself. */
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
