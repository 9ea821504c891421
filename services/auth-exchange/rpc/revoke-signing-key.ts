import { messageOf } from '#libs/causes.js'
import { installationEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import { type Ids, INSTALLATION } from '#libs/ids.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import type { RevokeSigningKeyRequest, RevokeSigningKeyResponse } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { signingKeyActive, signingKeyNotFound } from '../domain/refusals.js'
import type { KeyRotation } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import type { ExchangeSchema } from '../store/schema.js'
import { deleteKey, lockKeys } from '../store/signing-keys.js'
import { forOperator } from './for-operator.js'

type Outside = { readonly feed: ChangeFeed<ExchangeSchema>; readonly rotation: KeyRotation; readonly ids: Ids }

const THUMBPRINT = /^[\w-]{43}$/

export function revokeSigningKey({ feed, rotation, ids }: Outside): InternalUnary<RevokeSigningKeyRequest, RevokeSigningKeyResponse> {
  return forOperator(async ({ kid }, call, caller) => {
    const wrong = new Violations()
    if (!THUMBPRINT.test(kid)) wrong.at('kid')('must be the kid of a key: 43 characters of base64url')
    wrong.refuse()
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const key = (await lockKeys(tx)).find((one) => one.kid === kid)
      if (!key) throw signingKeyNotFound(kid)
      if (key.state === 'active') throw signingKeyActive(kid)
      await deleteKey(tx, kid)
      changed(INSTALLATION, changedInExchange.RevokeSigningKey(kid))
      const details = { kid, by: caller.name, state: key.state }
      await insertAuditEvent(tx, installationEvent({ id: ids.next(), action: 'RevokeSigningKey', type: 'signing-key', details, requestId: call.trace.requestId }))
    })
    // It is revoked, and no replica asks its memory whether a key is there: what is read late here is read later.
    await rotation.keep().catch((error: unknown) => call.note({ keys_not_read: messageOf(error) }))
    return { revision }
  })
}
