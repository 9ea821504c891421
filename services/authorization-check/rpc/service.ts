import { reusingWriter } from '#libs/rpc/reusing-writer.js'
import type { UnaryAdapter } from '#libs/rpc/unary.js'
import { AuthorizationCheckServiceService, type AuthorizationCheckServiceServer, CheckResponse } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthorizationService, type AuthorizationServer } from '#libs/wire/gen/envoy/service/auth/v3/external_auth.js'
import { check } from './check.js'
import { envoyAnswer, toldToEnvoy } from './envoy-answer.js'
import { envoyCheck } from './envoy-check.js'
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

/** The same for proxies: what Envoy asks before it lets a request through (ext_authz). */
export const envoyDefinition = {
  ...AuthorizationService,
  check: { ...AuthorizationService.check, responseSerialize: reusingWriter(envoyAnswer) },
}

/** What authorization-check answers: one file per method. */
export function checkService(unary: UnaryAdapter, outside: Outside): AuthorizationCheckServiceServer {
  return {
    check: unary(check(outside), mostOf(({ allowed }) => allowed)),
    waitForRevision: unary(waitForRevision(outside), undefined, { maxMillis: WAIT_AT_MOST_MILLIS }),
  }
}

export const envoyService = (unary: UnaryAdapter, outside: Parameters<typeof envoyCheck>[0]): AuthorizationServer => ({
  check: unary(envoyCheck(outside), mostOf(({ httpResponse }) => httpResponse?.$case === 'okResponse'), { toldAs: toldToEnvoy }),
})

function mostOf<Answer>(isAllowed: (answer: Answer) => boolean): (answer: Answer) => boolean {
  let allowed = 0
  return (answer) => {
    if (!isAllowed(answer)) return false
    allowed += 1
    return allowed % LOG_ONE_ALLOWED_IN !== 1
  }
}
