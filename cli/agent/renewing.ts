import { Failure } from '../failure.js'
import type { Holding, Token } from './fresh-token.js'
import { isFinal } from './setback.js'
import type { Renew, TokenSource } from './token-source.js'

/** Renews what is held, which costs no use of a client secret; logs in where there is nothing to renew, or no more to gain. */
export function renewing(login: TokenSource, renew: Renew): TokenSource {
  let overTokenId: string | undefined
  const renewed = async ({ token: { accessToken, tokenId } }: Holding): Promise<Token | undefined> => {
    try {
      return await renew(accessToken)
    } catch (error) {
      if (!isFinal(error) && !(error instanceof Failure && error.reason === 'TOKEN_LIFE_TOO_SHORT')) throw error
      // However often a login fails now, this one is not asked for again.
      overTokenId = tokenId
      return undefined
    }
  }
  return {
    obtain: async (held) => {
      const isWanted = held !== undefined && held.token.tokenId !== overTokenId && isWorthRenewing(held)
      return (isWanted ? await renewed(held) : undefined) ?? (await login.obtain(undefined))
    },
  }
}

/** Near the end of a lineage each renewal brings less; a login brings a whole life. */
export function isWorthRenewing({ token: { lifeMillis, spareMillis = Number.POSITIVE_INFINITY }, remainingMillis }: Holding): boolean {
  return Math.min(lifeMillis, remainingMillis + spareMillis) >= lifeMillis / 2
}
