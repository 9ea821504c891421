import type { Clock } from '#libs/clock.js'
import type { FailedLogin, FailureTallies } from '../domain/login-failures.js'
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

/** Counts what fails. The judgement is made when the proof was found wanting, so that none in flight at the same time gets by. */
export function loginAttempts({ throttle, tallies, clock, onFailure }: Outside): LoginAttempts {
  return {
    begin: (call, { clientId, sourceAddress }) => {
      const login = { source: sourceOf(sourceAddress), clientId }
      return {
        isSuspect: throttle.isSuspect(login, clock.now()),
        refusal: (reason, own) => {
          const now = clock.now()
          // Whoever shows a good secret guesses at nothing.
          const isGuess = reason !== 'overtaken' && reason !== 'untrusted-address'
          const endTime = isGuess ? throttle.failed(login, now, own) : undefined
          const failed = { ...login, reason, throttled: endTime !== undefined }
          tallies.add(failed, now)
          onFailure(failed)
          call.note({ login_refused: reason })
          if (reason === 'untrusted-address') return sourceNotTrusted(sourceAddress)
          return endTime ? loginThrottled(endTime.getTime() - now.getTime()) : credentialsRejected()
        },
        succeeded: () => throttle.succeeded(login),
      }
    },
  }
}
