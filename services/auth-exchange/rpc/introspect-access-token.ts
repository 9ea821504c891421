import { DomainError, Violations } from '#libs/domain-error.js'
import { credentialText } from '#libs/fields.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { Unary } from '#libs/rpc/unary.js'
import { type IntrospectAccessTokenRequest, IntrospectAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { lastExpireTime } from '../domain/access-token.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { Reading } from '../ports.js'
import { usesMessage } from './uses-message.js'
import { type GoodToken, goodToken, type GoodTokenOutside } from './good-token.js'

type Outside = Reading & GoodTokenOutside

export function introspectAccessToken({ authorization, ...outside }: Outside): Unary<IntrospectAccessTokenRequest, IntrospectAccessTokenResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const text = credentialText(request.accessToken, wrong.at('access_token'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'access-token' })
    const token = await goodOrNone(text, outside, call)
    if (token?.record.organizationId !== organizationId) return IntrospectAccessTokenResponse.fromPartial({ active: false })
    const { claims: { iat, exp }, record } = token
    const { id: tokenId, identityId, method, credentialId } = record
    const [issueTime, expireTime] = [new Date(iat * 1000), new Date(exp * 1000)]
    const whose = { tokenId, organizationId, identityId, method, credentialId }
    return { active: true, ...whose, issueTime, expireTime, maxExpireTime: lastExpireTime(record), ...usesMessage(record) }
  }
}

/** That a token is no good is an answer here; that it can't be told is none. */
async function goodOrNone(text: string, outside: GoodTokenOutside, outgoing: Outgoing): Promise<GoodToken | undefined> {
  try {
    return await goodToken(text, outside, outgoing)
  } catch (error) {
    if (error instanceof DomainError && error.reason === accessTokenRejected().reason) return undefined
    throw error
  }
}
