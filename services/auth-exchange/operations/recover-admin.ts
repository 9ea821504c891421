import { randomBytes } from 'node:crypto'
import type { Clock } from '#libs/clock.js'
import { changeFeed } from '#libs/freshness/append.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Ids } from '#libs/ids.js'
import type { Deadline } from '#libs/rpc/deadline.js'
import { secretText, UNUSED } from '../domain/client-secret.js'
import type { Pepper } from '../domain/secret-hash.js'
import { STANDARD_UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import { secretHasher } from '../methods/universal/secret-hasher.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertClientSecret } from '../store/client-secrets.js'
import type { Db } from '../store/schema.js'
import { insertClientLocator, insertUniversalAuth } from '../store/universal-auth.js'

export type { ExchangeSchema } from '../store/schema.js'

export type Recovery = { readonly organizationId: string; readonly identityId: string; readonly endTime: Date; readonly reason: string; readonly requestId: string }

type Outside = { readonly db: Db; readonly ids: Ids; readonly clock: Clock; readonly deadline: Deadline; readonly pepper: Pepper | undefined }

export type RecoveryCredentials = { readonly clientId: string; readonly clientSecretId: string; readonly clientSecret: string }

/** A token of minute 59 must not outlive the hour by much. */
const TTL_SECONDS = 900
const MAX_TTL_SECONDS = 3_600

/** Gives an identity a client secret until `endTime`. */
export async function createRecoveryCredentials({ organizationId, identityId, endTime, reason, requestId }: Recovery, { db, ids, clock, deadline, pepper }: Outside): Promise<RecoveryCredentials> {
  const owner = { organizationId, identityId }
  const [clientId, id, now] = [ids.next(), ids.next(), clock.now()]
  const clientSecret = secretText(id, randomBytes(32))
  const verifiers = await secretHasher(pepper ?? nobodysPepper()).verifiersOf({ ...owner, id }, clientSecret)
  const settings = { ...STANDARD_UNIVERSAL_AUTH, accessTokenTtlSeconds: TTL_SECONDS, accessTokenMaxTtlSeconds: MAX_TTL_SECONDS }
  const method = { ...owner, clientId, ...settings, epoch: ids.next(), createTime: now, updateTime: now, etag: ids.next() }
  const secret = { ...owner, id, description: 'recover-admin', ...UNUSED, expireTime: endTime, epoch: ids.next(), createTime: now }
  await changeFeed({ name: 'exchange', db, ids, hint: () => undefined }).commit(deadline, async (tx, changed) => {
    await insertClientLocator(tx, method)
    await insertUniversalAuth(tx, method)
    await insertClientSecret(tx, secret, verifiers)
    changed(organizationId, [changedInExchange.AttachUniversalAuth(identityId), changedInExchange.CreateClientSecret(id)])
    await insertAuditEvent(tx, {
      organizationId,
      id: ids.next(),
      action: 'RecoverAdmin',
      actorIdentityId: null,
      actorTokenId: null,
      targetType: 'client-secret',
      targetId: id,
      details: { by: 'recover-admin', identityId, clientId, expireTime: endTime, reason },
      requestId,
    })
  })
  return { clientId, clientSecretId: id, clientSecret }
}

// No pepper that is configured can have this id, so that the first login goes by argon2id and makes the digest anew.
const nobodysPepper = (): Pepper => ({ id: '(none)', key: randomBytes(32) })
