import type { Outgoing } from '#libs/rpc/client.js'
import type { Claims } from '../domain/access-token.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { IdentityReader, TokenSigner } from '../ports.js'
import { getStanding, type TokenStanding } from '../store/access-tokens.js'
import type { Db } from '../store/schema.js'

export type GoodTokenOutside = { readonly db: Db; readonly signer: TokenSigner; readonly identities: IdentityReader }

export type GoodToken = Omit<TokenStanding, 'revoked'> & { readonly claims: Claims }

/** What stands behind a token that was shown, where it is good at this moment; refused as Check refuses it where it is not. */
export async function goodToken(text: string, { db, signer, identities }: GoodTokenOutside, outgoing: Outgoing): Promise<GoodToken> {
  const claims = await signer.verify(text)
  const { revoked, ...standing } = await getStanding(db, claims)
  if (revoked || (await identities.stateOf(standing.record, outgoing)) !== 'active') throw accessTokenRejected()
  return { claims, ...standing }
}
