import { activeTokenKey, activeTokenText } from '#libs/active-token.js'
import type { NamedKey } from '#libs/env.js'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import { sealer } from '#libs/redis/sealed.js'
import type { ActiveTokens } from '../ports.js'

/** Long enough for the first checks; whoever checks later keeps it anew. */
const KEEP_MILLIS = 600_000

/** Puts issued tokens where authorization-check looks before it asks; where there is no store, every token is asked for. */
export function sharedActiveTokens(store: KeyValueStore | undefined, keys: readonly [NamedKey, ...NamedKey[]] | undefined): ActiveTokens {
  if (!store || !keys) return { keep: () => undefined }
  const sealed = sealer(keys)
  return {
    keep: ({ digest, record, trustedIps, stamp }) => {
      const { id: tokenId, organizationId, identityId, credentialId, method, issueTime, renewTime, expireTime, authClaims } = record
      const lifeMillis = expireTime.getTime() - (renewTime ?? issueTime).getTime()
      const key = activeTokenKey(tokenId)
      const token = {
        tokenId,
        organizationId,
        identityId,
        credentialId,
        method,
        expireMillis: expireTime.getTime(),
        authClaims: authClaims ? new Map(Object.entries(authClaims)) : undefined,
        useLimited: record.useLimit !== null,
        trustedIps,
        digest,
      }
      void store.set(key, sealed.seal(key, stamp, activeTokenText(token)), Math.min(lifeMillis, KEEP_MILLIS))
    },
  }
}
