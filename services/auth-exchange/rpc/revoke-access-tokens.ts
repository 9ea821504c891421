import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { RevokeAccessTokensRequest, RevokeAccessTokensResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { methodName } from '../domain/auth-method.js'
import { identityNotFound } from '../domain/refusals.js'
import type { TokensOf } from '../domain/tokens-of.js'
import type { IdentityReader, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { voidTokens } from '../store/epochs.js'

type Outside = Writing & { readonly identities: IdentityReader }

export function revokeAccessTokens({ authorization, identities, feed, ids }: Outside): Unary<RevokeAccessTokensRequest, RevokeAccessTokensResponse> {
  return async (request, call) => {
    const of = tokensOf(request)
    const attributes: Record<string, string> = of.type === 'organization' ? {} : { 'identity.id': of.identityId }
    const caller = await authorization.require(call, { action: 'revoke', resource: 'access-token', attributes })
    const { organizationId } = caller
    // Whoever mistyped an id must not believe that its tokens are dead.
    if (of.type === 'identity' && (await identities.stateOf({ organizationId, ...of }, call)) === 'absent') throw identityNotFound(of.identityId)
    const id = idOf(of, organizationId)
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await voidTokens(tx, { organizationId, of, epoch: ids.next() })
      changed(organizationId, changedInExchange.RevokeAccessTokens(of.type, id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: of.type, id, details: { ...attributes, ...(of.type === 'auth-method' && { method: of.method }) } }))
    })
    return { revision }
  }
}

function idOf(of: TokensOf, organizationId: string): string {
  if (of.type === 'organization') return organizationId
  return of.type === 'client-secret' ? of.id : of.identityId
}

function tokensOf({ of }: RevokeAccessTokensRequest): TokensOf {
  const wrong = new Violations()
  const found = of && readTokensOf(of, wrong)
  if (!found) wrong.at('of')('must be set: identity_id, auth_method, client_secret or organization')
  wrong.refuse()
  return found ?? { type: 'organization' }
}

function readTokensOf(of: NonNullable<RevokeAccessTokensRequest['of']>, wrong: Violations): TokensOf {
  switch (of.$case) {
    case 'organization': return { type: 'organization' }
    case 'identityId': return { type: 'identity', identityId: idField(of.value, wrong.at('identity_id')) }
    case 'authMethod': {
      const identityId = idField(of.value.identityId, wrong.at('auth_method.identity_id'))
      const method = methodName(of.value.method, wrong.at('auth_method.method'))
      return { type: 'auth-method', identityId, method }
    }
    case 'clientSecret': {
      const identityId = idField(of.value.identityId, wrong.at('client_secret.identity_id'))
      return { type: 'client-secret', identityId, id: idField(of.value.id, wrong.at('client_secret.id')) }
    }
  }
}
