import type { RpcClient } from '#libs/rpc/client.js'
import { canonicalAddress } from '#libs/rules/subnet.js'
import { ExchangeInternalServiceService } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { UseCounter } from '../ports.js'

/** Whoever repeated the question would spend another use. */
export const ASKED_ONCE = [ExchangeInternalServiceService.consumeUse]

/** Asks auth-exchange. */
export const remoteUses = (exchange: RpcClient): UseCounter => async ({ text, sourceAddress = '' }, outgoing) => {
  const use = { accessToken: text, sourceAddress: canonicalAddress(sourceAddress) ?? '' }
  const { counted } = await exchange.unary(ExchangeInternalServiceService.consumeUse, use, outgoing)
  return counted
}
