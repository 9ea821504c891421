import type { Clock } from '#libs/clock.js'
import type { FailedLogin, FailureTallies } from '../domain/login-failures.js'
import { credentialsRejected, loginThrottled } from '../domain/refusals.js'
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
    begin: (call, clientId) => {
      const login = { source: sourceOf(call.peer), clientId }
      return {
        isSuspect: throttle.isSuspect(login, clock.now()),
        refusal: (reason, own) => {
          const now = clock.now()
          // What others did meanwhile is no failure of whoever shows a good secret.
          const endTime = reason === 'overtaken' ? undefined : throttle.failed(login, now, own)
          const failed = { ...login, reason, throttled: endTime !== undefined }
          tallies.add(failed, now)
          onFailure(failed)
          call.note({ login_refused: reason })
          return endTime ? loginThrottled(endTime.getTime() - now.getTime()) : credentialsRejected()
        },
        succeeded: () => throttle.succeeded(login),
      }
    },
  }
}
