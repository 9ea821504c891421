import { DomainError } from '#libs/domain-error.js'
import { type Deadline, remainingMillis } from '#libs/rpc/deadline.js'
import { loginThrottled } from '../domain/refusals.js'

/** Long enough that whoever waits for it before the next guess guesses seldom, and short enough for a person. */
export const HOLD_MILLIS = 250

/** A quarter of the calls that may be under way: a flood must not use up the room of others by being held. */
export const MOST_HELD = 500

/** Of what is left until the caller's deadline: it must still hear the refusal. */
const SHARE_OF_DEADLINE = 0.8

/**
 * Answers throttled failures late, so that a flood of them takes the more time of whoever sends it and the less of ours. Nothing
 * else is: a good login, and what is told of it, waits for nobody.
 */
export function holdThrottled(): <T>(deadline: Deadline, answer: Promise<T>) => Promise<T> {
  let held = 0
  return (deadline, answer) =>
    answer.catch(async (error: unknown) => {
      const isThrottled = error instanceof DomainError && error.reason === THROTTLED
      const millis = Math.min(HOLD_MILLIS, remainingMillis(deadline) * SHARE_OF_DEADLINE)
      if (!isThrottled || held >= MOST_HELD || millis <= 0) throw error
      held += 1
      await new Promise((resolve) => setTimeout(resolve, millis))
      held -= 1
      throw error
    })
}

const THROTTLED = loginThrottled(0).reason
