import { z } from 'zod'
import type { LoginResponse, RenewAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { Failure } from '../failure.js'
import { MIN_LIFE_MILLIS, type Token } from './fresh-token.js'

// What a token says of itself. It is not verified: it came from auth-exchange, or nobody else takes it for good.

const claims = z.object({ jti: z.string(), sub: z.string(), org: z.string(), iat: z.number(), exp: z.number() })

// Tokens count in whole seconds, rounded down: one may end this much earlier than its own times say.
const ROUNDING_MILLIS = 1_000

export function tokenFrom({ accessToken }: Pick<LoginResponse, 'accessToken'>): Token {
  const parsed = claims.safeParse(payloadOf(accessToken))
  if (!parsed.success) throw new Failure({ exitCode: 1, reason: 'TOKEN_NOT_UNDERSTOOD', message: 'auth-exchange gave a token that says nothing of its times: is it another version?' })
  const { jti, sub, org, iat, exp } = parsed.data
  const lifeMillis = (exp - iat) * 1000 - ROUNDING_MILLIS
  if (lifeMillis < MIN_LIFE_MILLIS) throw tooShort(exp - iat)
  return { accessToken, tokenId: jti, identityId: sub, organizationId: org, lifeMillis, origin: 'login', spareMillis: undefined }
}

export function renewedTokenFrom({ accessToken, expireTime, maxExpireTime }: RenewAccessTokenResponse): Token {
  const spareMillis = expireTime && maxExpireTime ? maxExpireTime.getTime() - expireTime.getTime() : Number.POSITIVE_INFINITY
  return { ...tokenFrom({ accessToken }), origin: 'renewal', spareMillis }
}

/** When a token ends by its own word, in milliseconds since 1970; undefined where it has none. */
export function endMillisOf(accessToken: string): number | undefined {
  const { data } = claims.safeParse(payloadOf(accessToken))
  return data && data.exp * 1000
}

function payloadOf(accessToken: string): unknown {
  try {
    return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
  } catch {
    return undefined
  }
}

function tooShort(seconds: number): Failure {
  const message = `The tokens of this identity live for ${seconds} s: what lives for less than ${MIN_LIFE_MILLIS / 1000 + 1} s can't be kept fresh.`
  return new Failure({ exitCode: 1, reason: 'TOKEN_LIFE_TOO_SHORT', message, metadata: { seconds: String(seconds) } })
}
