import { Violations } from '#libs/domain-error.js'
import { credentialText } from '#libs/fields.js'
import type { InternalUnary } from '#libs/rpc/service-credential.js'
import type { DescribeTokenRequest, DescribeTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { TokenSigner } from '../ports.js'
import type { Standings } from '../store/access-tokens.js'

type Outside = { readonly standings: Standings; readonly signer: TokenSigner }

export function describeToken({ standings, signer }: Outside): InternalUnary<DescribeTokenRequest, DescribeTokenResponse> {
  return async (request, _call, caller) => {
    const wrong = new Violations()
    const text = credentialText(request.accessToken, wrong.at('access_token'))
    wrong.refuse()
    const signed = await signer.verify(text)
    const { claims } = signed
    if (!caller.mayAskAbout(claims.org)) throw accessTokenRejected()
    const { record, revoked, trustedIps, stamp } = await standings.of(signed)
    const { id: tokenId, organizationId, identityId, credentialId, method, authClaims } = record
    const use = { useLimited: record.useLimit !== null, trustedIps: { cidrs: [...trustedIps] } }
    return { tokenId, organizationId, identityId, credentialId, method, expireTime: new Date(claims.exp * 1000), revoked, stamp, authClaims: authClaims ?? {}, ...use }
  }
}
