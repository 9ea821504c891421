import type { Unary } from '#libs/rpc/unary.js'
import type { GetJsonWebKeySetRequest, GetJsonWebKeySetResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import type { TokenSigner } from '../ports.js'

export function getJsonWebKeySet({ signer }: { signer: TokenSigner }): Unary<GetJsonWebKeySetRequest, GetJsonWebKeySetResponse> {
  return () => Promise.resolve({ keys: signer.publicKeys().map((key) => ({ ...key, alg: 'ES256', use: 'sig' })) })
}
