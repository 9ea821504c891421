import { dependencies } from '#libs/freshness/entities.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { stampFrom } from '#libs/rpc/change-feed.js'
import type { Outgoing, RpcClient } from '#libs/rpc/client.js'
import { ExchangeInternalServiceService } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { PrincipalFacts } from '../domain/grants.js'
import type { PresentedPrincipal } from '../ports.js'

/** Asks auth-exchange. */
export function remotePrincipals(exchange: RpcClient) {
  return async ({ organizationId, name }: PresentedPrincipal, outgoing: Outgoing): Promise<Entry<PrincipalFacts>> => {
    const { principalId, identityId, stamp } = await exchange.unary(ExchangeInternalServiceService.describePrincipal, { organizationId, name }, outgoing)
    const mapped = principalId === '' ? undefined : { principalId, identityId }
    return { value: { organizationId, mapped }, stamp: stampFrom(stamp), dependencies: dependencies.principal({ organizationId, name }) }
  }
}
