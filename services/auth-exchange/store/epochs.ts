import { authMethodNotFound, clientSecretNotFound } from '../domain/refusals.js'
import type { TokensOf } from '../domain/tokens-of.js'
import { UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import type { Tx } from './schema.js'

type Voided = { readonly organizationId: string; readonly of: TokensOf; readonly epoch: string }

/**
 * Voids all tokens of somebody or something by an epoch that was never one before. What a login or a renewal writes that
 * commits at the same time has the old one.
 */
export async function voidTokens(tx: Tx, { organizationId, of, epoch }: Voided): Promise<void> {
  switch (of.type) {
    case 'organization': {
      const insert = tx.insertInto('organizationEpoch').values({ organizationId, epoch })
      await insert.onConflict((on) => on.column('organizationId').doUpdateSet({ epoch })).execute()
      return
    }
    case 'identity': {
      const insert = tx.insertInto('identityEpoch').values({ organizationId, identityId: of.identityId, epoch })
      await insert.onConflict((on) => on.columns(['organizationId', 'identityId']).doUpdateSet({ epoch })).execute()
      return
    }
    case 'auth-method': {
      const isFound = of.method === UNIVERSAL_AUTH ? await voidUniversalAuth(tx, { organizationId, ...of, epoch }) : await voidAuthMethod(tx, { organizationId, ...of, epoch })
      if (!isFound) throw authMethodNotFound(of)
      return
    }
    case 'client-secret': {
      const update = tx.updateTable('clientSecret').set({ epoch }).where('organizationId', '=', organizationId).where('identityId', '=', of.identityId)
      if (!(await update.where('id', '=', of.id).returning('id').executeTakeFirst())) throw clientSecretNotFound(of.id)
    }
  }
}

type VoidedMethod = { readonly organizationId: string; readonly identityId: string; readonly method: string; readonly epoch: string }

async function voidUniversalAuth(tx: Tx, { organizationId, identityId, epoch }: VoidedMethod): Promise<boolean> {
  const update = tx.updateTable('universalAuth').set({ epoch }).where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  return (await update.returning('identityId').executeTakeFirst()) !== undefined
}

async function voidAuthMethod(tx: Tx, { organizationId, identityId, method, epoch }: VoidedMethod): Promise<boolean> {
  const update = tx.updateTable('authMethod').set({ epoch }).where('organizationId', '=', organizationId).where('identityId', '=', identityId)
  return (await update.where('method', '=', method).returning('id').executeTakeFirst()) !== undefined
}
