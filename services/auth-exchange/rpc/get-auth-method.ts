import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { AuthMethod as AuthMethodMessage, GetAuthMethodRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { inCommon, methodName } from '../domain/auth-method.js'
import { UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import type { AuthMethods, Reading } from '../ports.js'
import { getAuthMethod as readAuthMethod } from '../store/auth-methods.js'
import { getUniversalAuth } from '../store/universal-auth.js'
import { toAuthMethodMessage } from './auth-method-message.js'

type Outside = Reading & { readonly methods: AuthMethods }

export function getAuthMethod({ db, authorization, methods }: Outside): Unary<GetAuthMethodRequest, AuthMethodMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const method = methodName(request.method, wrong.at('method'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'auth-method', attributes: { 'identity.id': identityId } })
    const owner = { organizationId, identityId }
    const found = method === UNIVERSAL_AUTH ? inCommon(await getUniversalAuth(db, owner)) : await readAuthMethod(db, { ...owner, method })
    return toAuthMethodMessage(found, methods)
  }
}
