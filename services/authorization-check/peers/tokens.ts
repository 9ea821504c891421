import { kidIn } from '#libs/active-token.js'
import { dependencies } from '#libs/freshness/entities.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { stampFrom } from '#libs/rpc/change-feed.js'
import type { Outgoing, RpcClient } from '#libs/rpc/client.js'
import { EVERYWHERE, trustedSourceOf } from '#libs/rules/trusted-source.js'
import { ExchangeInternalServiceService } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { TokenFacts } from '../domain/grants.js'
import type { PresentedToken } from '../ports.js'

/** Asks auth-exchange, which verifies the signature. */
export function remoteTokens(exchange: RpcClient) {
  return async ({ text }: PresentedToken, outgoing: Outgoing): Promise<Entry<TokenFacts>> => {
    const { expireTime, stamp, authClaims, trustedIps, ...facts } = await exchange.unary(ExchangeInternalServiceService.describeToken, { accessToken: text }, outgoing)
    if (!expireTime) throw new Error('auth-exchange described a token without its end')
    const value = { ...facts, expireMillis: expireTime.getTime(), trusted: trustedSourceOf(trustedIps?.cidrs ?? EVERYWHERE), ...claimsOf(authClaims) }
    return { value, stamp: stampFrom(stamp), dependencies: dependencies.accessToken({ ...facts, kid: kidIn(text) }) }
  }
}

const claimsOf = (claims: Readonly<Record<string, string>>): Pick<TokenFacts, 'authClaims'> => {
  const entries = Object.entries(claims)
  return entries.length > 0 ? { authClaims: new Map(entries) } : {}
}
