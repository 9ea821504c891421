import { z } from 'zod'
import type { LoginResponse, RenewAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { Failure } from '../failure.js'
import { MIN_LIFE_MILLIS, type Token } from './fresh-token.js'

// What a token says of itself. It is not verified: it came from auth-exchange, or nobody else takes it for good.

const claims = z.object({ jti: z.string(), sub: z.string(), org: z.string(), iat: z.number(), exp: z.number() })

export type Claims = z.output<typeof claims>

// Tokens count in whole seconds, rounded down: one may end this much earlier than its own times say.
const ROUNDING_MILLIS = 1_000

export function tokenFrom({ accessToken }: Pick<LoginResponse, 'accessToken'>): Token {
  const found = claimsOf(accessToken)
  if (found === undefined) throw new Failure({ exitCode: 1, reason: 'TOKEN_NOT_UNDERSTOOD', message: 'auth-exchange gave a token that says nothing of its times: is it another version?' })
  const { jti, sub, org, iat, exp } = found
  const lifeMillis = (exp - iat) * 1000 - ROUNDING_MILLIS
  if (lifeMillis < MIN_LIFE_MILLIS) throw tooShort(exp - iat)
  return { accessToken, tokenId: jti, identityId: sub, organizationId: org, lifeMillis, origin: 'login', spareMillis: undefined }
}

export function renewedTokenFrom({ accessToken, expireTime, maxExpireTime }: RenewAccessTokenResponse): Token {
  const spareMillis = expireTime && maxExpireTime ? maxExpireTime.getTime() - expireTime.getTime() : Number.POSITIVE_INFINITY
  return { ...tokenFrom({ accessToken }), origin: 'renewal', spareMillis }
}

/** One that was issued at some other time: only a wall clock says how much of its life is left. */
export function givenTokenFrom(accessToken: string, { jti, sub, org, exp }: Claims, wallMillis: number): Token {
  const lifeMillis = exp * 1000 - wallMillis
  if (lifeMillis < MIN_LIFE_MILLIS) throw tooShort(Math.max(0, Math.floor(lifeMillis / 1000)))
  return { accessToken, tokenId: jti, identityId: sub, organizationId: org, lifeMillis, origin: 'given', spareMillis: 0 }
}

/** Undefined where the text is no token. Times are seconds since 1970. */
export const claimsOf = (accessToken: string): Claims | undefined => claims.safeParse(payloadOf(accessToken)).data

/** When a token ends by its own word, in milliseconds since 1970; undefined where it has none. */
export function endMillisOf(accessToken: string): number | undefined {
  const found = claimsOf(accessToken)
  return found && found.exp * 1000
}

function payloadOf(accessToken: string): unknown {
  try {
    return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
  } catch {
    return undefined
  }
}

function tooShort(seconds: number): Failure {
  const message = `The token lives for ${seconds} s: what lives for less than ${MIN_LIFE_MILLIS / 1000 + 1} s can't be kept fresh.`
  return new Failure({ exitCode: 1, reason: 'TOKEN_LIFE_TOO_SHORT', message, metadata: { seconds: String(seconds) } })
}
