import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { inTransaction } from '#libs/postgres/transaction.js'
import { firstMissing } from '#libs/rpc/missing-rule-message.js'
import { type InternalUnary, serviceNotAllowed } from '#libs/rpc/service-credential.js'
import { isWord, WORD_PROBLEM } from '#libs/rules/rule.js'
import type { CheckCoverageRequest, CheckCoverageResponse } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Db } from '../store/schema.js'
import { missingForCredential } from './guarded.js'

/** What a peer takes in one answer, with room to spare. */
const MOST_BYTES = 1024 * 1024

type Outside = { readonly db: Db; readonly clock: Clock }

export function checkCoverage({ db, clock }: Outside): InternalUnary<CheckCoverageRequest, CheckCoverageResponse> {
  return async (request, call, service) => {
    const wrong = new Violations()
    const organizationId = idField(request.organizationId, wrong.at('organization_id'))
    const callerId = idField(request.callerIdentityId, wrong.at('caller_identity_id'))
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    if (!isWord(request.resource)) wrong.at('resource')(WORD_PROBLEM)
    wrong.refuse()
    // What is no answer for this service must not look like one that nothing is missing.
    if (!service.mayAskAbout(organizationId)) throw serviceNotAllowed(call.path)
    const about = { resource: request.resource, attributes: { 'identity.id': identityId } }
    const caller = { organizationId, identityId: callerId }
    const judge = await inTransaction(db, call.deadline, (tx) => missingForCredential(tx, { caller, about, now: clock.now() }, identityId))
    const missing = judge()
    return { missingRules: firstMissing(missing, MOST_BYTES), missingCount: missing.length }
  }
}
