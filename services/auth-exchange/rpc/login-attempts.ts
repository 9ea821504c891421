import type { Clock } from '#libs/clock.js'
import type { FailedLogin, FailureTallies, LoginFailure } from '../domain/login-failures.js'
import { credentialsRejected, loginThrottled, sourceNotTrusted } from '../domain/refusals.js'
import { sourceOf } from '../domain/source.js'
import type { LoginThrottle } from '../domain/throttle.js'
import type { LoginAttempts } from '../ports.js'

type Outside = {
  readonly throttle: LoginThrottle
  readonly tallies: FailureTallies
  readonly clock: Clock
  /** For metrics. */
  readonly onFailure: (failed: FailedLogin) => void
}

/** What others did meanwhile is no guess of whoever shows a good secret, and an assertion can't be guessed. */
const IS_GUESS: Record<LoginFailure, boolean> = {
  malformed: true,
  unknown: true,
  wrong: true,
  revoked: true,
  expired: true,
  spent: true,
  'untrusted-address': false,
  unproven: false,
  'identity-not-active': true,
  overtaken: false,
}

/** Counts what fails. The judgement is made when the proof was found wanting, so that none in flight at the same time gets by. */
export function loginAttempts({ throttle, tallies, clock, onFailure }: Outside): LoginAttempts {
  return {
    begin: (call, { clientId, method, sourceAddress }) => {
      const login = { source: sourceOf(sourceAddress), clientId }
      return {
        isSuspect: throttle.isSuspect(login, clock.now()),
        note: (detail) => call.note({ login_refused: detail }),
        refusal: (reason, own, detail) => {
          const now = clock.now()
          const endTime = IS_GUESS[reason] ? throttle.failed(login, now, own) : undefined
          const failed = { ...login, method, reason, detail, throttled: endTime !== undefined }
          tallies.add(failed, now)
          onFailure(failed)
          call.note({ login_refused: detail ?? reason })
          if (reason === 'untrusted-address') return sourceNotTrusted(sourceAddress)
          return endTime ? loginThrottled(endTime.getTime() - now.getTime()) : credentialsRejected()
        },
        succeeded: () => throttle.succeeded(login),
      }
    },
  }
}
