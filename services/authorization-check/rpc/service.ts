import { reusingWriter } from '#libs/rpc/reusing-writer.js'
import type { UnaryAdapter } from '#libs/rpc/unary.js'
import { AuthorizationCheckServiceService, type AuthorizationCheckServiceServer, CheckResponse } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { check } from './check.js'
import { waitForRevision } from './wait-for-revision.js'

/** One allowed check in so many has a line in the log; every denied one has. */
const LOG_ONE_ALLOWED_IN = 1000

/** The largest bound that an owner may have, and time to ask. */
const WAIT_AT_MOST_MILLIS = 70_000

type Outside = Parameters<typeof check>[0] & Parameters<typeof waitForRevision>[0]

/** The service as it is called, with the serializer that its throughput needs. */
export const checkDefinition = {
  ...AuthorizationCheckServiceService,
  check: { ...AuthorizationCheckServiceService.check, responseSerialize: reusingWriter(CheckResponse) },
}

/** What authorization-check answers: one file per method. */
export function checkService(unary: UnaryAdapter, outside: Outside): AuthorizationCheckServiceServer {
  let allowed = 0
  return {
    check: unary(check(outside), (decision) => {
      if (!decision.allowed) return false
      allowed += 1
      return allowed % LOG_ONE_ALLOWED_IN !== 1
    }),
    waitForRevision: unary(waitForRevision(outside), undefined, WAIT_AT_MOST_MILLIS),
  }
}
