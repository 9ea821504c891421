import type { Clock } from '#libs/clock.js'
import { changeEpoch } from '#libs/freshness/serve.js'
import type { Ids } from '#libs/ids.js'
import { inTransaction } from '#libs/postgres/transaction.js'
import type { Deadline } from '#libs/rpc/deadline.js'
import { revokeLimitedTokens } from '../store/access-tokens.js'
import { insertAuditEvent } from '../store/audit.js'
import { voidMethodTokensOfAll } from '../store/auth-methods.js'
import { revokeClientSecrets } from '../store/client-secrets.js'
import { deletePrincipals } from '../store/principals.js'
import type { Db } from '../store/schema.js'
import { listOrganizationIds, voidTokensOfAll } from '../store/universal-auth.js'
import { eraseWrappedSecrets } from '../store/wrapped-secrets.js'

type Outside = { readonly db: Db; readonly ids: Ids; readonly clock: Clock; readonly deadline: Deadline }

/** `needful`: only what a restore gives back that may have been used up. `tokens`: every token too. `secrets`: every secret and principal too. */
export type Extent = 'needful' | 'tokens' | 'secrets'

export type RevokedSecret = { readonly organizationId: string; readonly identityId: string; readonly id: string }

export type DeletedPrincipal = RevokedSecret & { readonly name: string }

/** `revokedTokens`: how many with a limited number of uses. */
export type Voided = { readonly revokedSecrets: readonly RevokedSecret[]; readonly deletedPrincipals: readonly DeletedPrincipal[]; readonly revokedTokens: number }

/**
 * After a restore: voids every copy of tokens that was made before it, and revokes the secrets and the tokens with a limited number
 * of uses, since nobody knows how many were used that the restored database has not counted; and erases the secrets that are
 * wrapped, since nobody knows who unwrapped them. The new epoch says more than any change could: it is no row of the feed.
 */
export function afterRestore(extent: Extent, requestId: string, { db, ids, clock, deadline }: Outside): Promise<Voided> {
  return inTransaction(db, deadline, async (tx) => {
    await changeEpoch(tx, 'exchange')
    const revoked = await revokeClientSecrets(tx, extent === 'secrets' ? 'all' : 'limited', clock.now())
    const erased = await eraseWrappedSecrets(tx)
    const revokedTokens = await revokeLimitedTokens(tx, clock.now())
    const deleted = extent === 'secrets' ? await deletePrincipals(tx) : []
    if (extent !== 'needful') {
      await voidTokensOfAll(tx)
      await voidMethodTokensOfAll(tx)
    }
    for (const organizationId of await listOrganizationIds(tx)) {
      const who = { organizationId, id: ids.next(), actorIdentityId: null, actorTokenId: null, targetType: 'organization', targetId: organizationId }
      const clientSecretIds = revoked.filter((one) => one.organizationId === organizationId).map(({ id }) => id)
      const wrappedSecretIds = erased.filter((one) => one.organizationId === organizationId).map(({ clientSecretId }) => clientSecretId)
      const principals = deleted.filter((one) => one.organizationId === organizationId).map(({ identityId, name }) => ({ identityId, name }))
      await insertAuditEvent(tx, { ...who, action: 'Restore', details: { by: 'restored', extent, clientSecretIds, wrappedSecretIds, principals }, requestId })
    }
    const deletedPrincipals = deleted.map(({ organizationId, identityId, id, name }) => ({ organizationId, identityId, id, name }))
    return { revokedSecrets: revoked, deletedPrincipals, revokedTokens }
  })
}
