import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { credentialText, optionalAddress } from '#libs/fields.js'
import { repeating } from '#libs/postgres/transaction.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import type { ConsumeUseRequest, ConsumeUseResponse } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { TokenSigner } from '../ports.js'
import type { Db } from '../store/schema.js'
import { consumeUse as countUse } from '../store/token-uses.js'

type Outside = { readonly db: Db; readonly signer: TokenSigner; readonly clock: Clock }

export function consumeUse({ db, signer, clock }: Outside): InternalUnary<ConsumeUseRequest, ConsumeUseResponse> {
  return async (request, call, caller) => {
    const wrong = new Violations()
    const text = credentialText(request.accessToken, wrong.at('access_token'))
    const sourceAddress = optionalAddress(request.sourceAddress, wrong.at('source_address'))
    wrong.refuse()
    const claims = await signer.verify(text)
    if (!caller.mayAskAbout(claims.org)) throw accessTokenRejected()
    const counted = await repeating(call.deadline, () => countUse(db, { claims, sourceAddress, now: clock.now() }))
    if (counted === 'rejected') throw accessTokenRejected()
    return { counted: counted === 'counted' }
  }
}
