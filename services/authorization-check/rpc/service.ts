import type { UnaryAdapter } from '#libs/rpc/unary.js'
import type { AuthorizationCheckServiceServer } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { check } from './check.js'

/** One allowed check in so many has a line in the log; every denied one has. */
const LOG_ONE_ALLOWED_IN = 1000

/** What authorization-check answers: one file per method. */
export function checkService(unary: UnaryAdapter, outside: Parameters<typeof check>[0]): AuthorizationCheckServiceServer {
  let allowed = 0
  return {
    check: unary(check(outside), (decision) => {
      if (!decision.allowed) return false
      allowed += 1
      return allowed % LOG_ONE_ALLOWED_IN !== 1
    }),
  }
}
