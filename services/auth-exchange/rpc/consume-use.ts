import pLimit from 'p-limit'
import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { credentialText, optionalAddress } from '#libs/fields.js'
import { repeating } from '#libs/postgres/transaction.js'
import { type Deadline, outOfTime, remainingMillis } from '#libs/rpc/deadline.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import { overloaded } from '#libs/rpc/unary.js'
import type { ConsumeUseRequest, ConsumeUseResponse } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { TokenSigner } from '../ports.js'
import type { Db } from '../store/schema.js'
import { consumeUse as countUse, type Counted, type Use } from '../store/token-uses.js'

/** Uses of one token wait for its row: they must not take every connection that tokens are described over. */
const AT_ONCE = 4
const WAITING = 2_000

type Outside = { readonly db: Db; readonly signer: TokenSigner; readonly clock: Clock }

export function consumeUse({ db, signer, clock }: Outside): InternalUnary<ConsumeUseRequest, ConsumeUseResponse> {
  const limit = pLimit(AT_ONCE)
  // Whoever has gone meanwhile is not to spend one.
  const inTurn = (use: Omit<Use, 'now'>, deadline: Deadline): Promise<Counted> =>
    limit(() => {
      if (remainingMillis(deadline) <= 0) throw outOfTime()
      return repeating(deadline, () => countUse(db, { ...use, now: clock.now() }))
    })
  return async (request, call, caller) => {
    const wrong = new Violations()
    const text = credentialText(request.accessToken, wrong.at('access_token'))
    const sourceAddress = optionalAddress(request.sourceAddress, wrong.at('source_address'))
    wrong.refuse()
    const { claims } = await signer.verify(text)
    if (!caller.mayAskAbout(claims.org)) throw accessTokenRejected()
    if (limit.pendingCount >= WAITING) throw overloaded()
    const counted = await inTurn({ claims, sourceAddress }, call.deadline)
    if (counted === 'rejected') throw accessTokenRejected()
    return { counted: counted === 'counted' }
  }
}
