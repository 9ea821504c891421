import { installationEvent } from '#libs/audit-event.js'
import type { Clock } from '#libs/clock.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import { type Ids, INSTALLATION } from '#libs/ids.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import type { RotateSigningKeyRequest, RotateSigningKeyResponse } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { KeyRotation } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import type { Db, ExchangeSchema } from '../store/schema.js'
import { hastenPreparedKey, insertKey, listKeys } from '../store/signing-keys.js'
import { forOperator } from './for-operator.js'
import { toSigningKeyMessage } from './signing-key-message.js'

type Outside = { readonly db: Db; readonly feed: ChangeFeed<ExchangeSchema>; readonly rotation: KeyRotation; readonly ids: Ids; readonly clock: Clock }

export function rotateSigningKey({ db, feed, rotation, ids, clock }: Outside): InternalUnary<RotateSigningKeyRequest, RotateSigningKeyResponse> {
  return forOperator(async ({ atOnce }, call, caller) => {
    const now = clock.now()
    const activateTime = atOnce ? now : new Date(now.getTime() + rotation.schedule.leadMillis)
    const made = await rotation.newKey({ state: 'prepared', createTime: now, activateTime })
    const { result: kid, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const isMade = await insertKey(tx, made)
      const prepared = isMade ? made : (await listKeys(tx)).find(({ state }) => state === 'prepared')
      if (!prepared || (!isMade && !atOnce)) return prepared?.kid
      await hastenPreparedKey(tx, activateTime)
      changed(INSTALLATION, changedInExchange.RotateSigningKey(prepared.kid))
      const details = { kid: prepared.kid, by: caller.name, atOnce, isMade }
      await insertAuditEvent(tx, installationEvent({ id: ids.next(), action: 'RotateSigningKey', type: 'signing-key', details, requestId: call.trace.requestId }))
      return prepared.kid
    })
    await rotation.keep()
    const key = (await listKeys(db)).find((one) => one.kid === kid)
    return { key: key && toSigningKeyMessage(key), revision }
  })
}
