import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { credentialText } from '#libs/fields.js'
import type { Ids } from '#libs/ids.js'
import { inTransaction } from '#libs/postgres/transaction.js'
import type { ServiceCallers } from '#libs/rpc/service-credential.js'
import { sourceAddressOf } from '#libs/rpc/source-address.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { UnwrapClientSecretRequest, UnwrapClientSecretResponse } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { wrappingTokenRejected } from '../domain/refusals.js'
import { isWrappingText, opened, wrappingDigest } from '../domain/wrapping.js'
import { insertAuditEvent } from '../store/audit.js'
import type { Db } from '../store/schema.js'
import { countRefusal, eraseWrappedSecret, lockWrappedSecret } from '../store/wrapped-secrets.js'

type Outside = { readonly db: Db; readonly callers: ServiceCallers; readonly ids: Ids; readonly clock: Clock }

/** Refusals of one token are events up to here, and counted beyond: whoever has a used token must not be able to fill a disk. */
const AUDITED_REFUSALS = 10

export function unwrapClientSecret({ db, callers, ids, clock }: Outside): Unary<UnwrapClientSecretRequest, UnwrapClientSecretResponse> {
  return async ({ wrappingToken }, call) => {
    const wrong = new Violations()
    credentialText(wrappingToken, wrong.at('wrapping_token'))
    wrong.refuse()
    const sourceAddress = sourceAddressOf(call, callers)
    if (!isWrappingText(wrappingToken)) throw wrappingTokenRejected()
    const answer = await inTransaction(db, call.deadline, async (tx) => {
      const wrapped = await lockWrappedSecret(tx, wrappingDigest(wrappingToken))
      if (!wrapped) return undefined
      const { organizationId, identityId, clientSecretId, clientId, refusals } = wrapped
      const now = clock.now()
      const { outcome, secret } = opened(wrappingToken, wrapped, now)
      call.note({ organization_id: organizationId, identity_id: identityId, unwrap_outcome: outcome })
      if (secret === undefined) await countRefusal(tx, wrapped)
      else await eraseWrappedSecret(tx, wrapped, now)
      if (refusals < AUDITED_REFUSALS) {
        const target = { targetType: 'client-secret', targetId: clientSecretId, details: { identityId, outcome, sourceAddress: sourceAddress ?? null } }
        const event = { organizationId, id: ids.next(), action: 'UnwrapClientSecret', actorIdentityId: null, actorTokenId: null, ...target, requestId: call.trace.requestId }
        await insertAuditEvent(tx, event)
      }
      return secret === undefined ? undefined : { organizationId, identityId, clientId, clientSecretId, secret }
    })
    // Refused only here, so that what is said of it in the audit is committed.
    if (!answer) throw wrappingTokenRejected()
    return answer
  }
}
