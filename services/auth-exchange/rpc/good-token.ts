import type { Outgoing } from '#libs/rpc/client.js'
import type { Claims } from '../domain/access-token.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { IdentityReader, TokenSigner } from '../ports.js'
import type { Standings, TokenStanding } from '../store/access-tokens.js'

export type GoodTokenOutside = { readonly standings: Standings; readonly signer: TokenSigner; readonly identities: IdentityReader }

export type GoodToken = { readonly claims: Claims } & Pick<TokenStanding, 'record' | 'signingKid' | 'trustedIps' | 'stamp'>

/** What stands behind a token that was shown, where it is good at this moment; refused as Check refuses it where it is not. */
export async function goodToken(text: string, { standings, signer, identities }: GoodTokenOutside, outgoing: Outgoing): Promise<GoodToken> {
  const signed = await signer.verify(text)
  const { record, revoked, signingKid, trustedIps, stamp } = await standings.of(signed)
  if (revoked || (await identities.stateOf(record, outgoing)) !== 'active') throw accessTokenRejected()
  return { claims: signed.claims, record, signingKid, trustedIps, stamp }
}
