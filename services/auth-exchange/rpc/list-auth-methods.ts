import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { ListAuthMethodsRequest, ListAuthMethodsResponse } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { inCommon } from '../domain/auth-method.js'
import type { AuthMethods, Reading } from '../ports.js'
import { listAuthMethods as readAuthMethods } from '../store/auth-methods.js'
import { findUniversalAuth } from '../store/universal-auth.js'
import { toAuthMethodMessage } from './auth-method-message.js'

type Outside = Reading & { readonly methods: AuthMethods }

export function listAuthMethods({ db, authorization, methods }: Outside): Unary<ListAuthMethodsRequest, ListAuthMethodsResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'auth-method', attributes: { 'identity.id': identityId } })
    const owner = { organizationId, identityId }
    const [universalAuth, others] = await Promise.all([findUniversalAuth(db, owner), readAuthMethods(db, owner)])
    const found = [...others, ...(universalAuth ? [inCommon(universalAuth)] : [])]
    // No two have one name.
    found.sort((one, other) => (one.method < other.method ? -1 : 1))
    return { authMethods: found.map((method) => toAuthMethodMessage(method, methods)) }
  }
}
