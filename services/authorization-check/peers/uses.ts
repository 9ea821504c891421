import type { RpcClient } from '#libs/rpc/client.js'
import { canonicalAddress } from '#libs/rules/subnet.js'
import { ExchangeInternalServiceService } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { UseCounter } from '../ports.js'

/** Asks auth-exchange, once: whoever repeated the question would spend another use. */
export const remoteUses = (exchange: RpcClient): UseCounter => async ({ text, sourceAddress = '' }, outgoing) => {
  const use = { accessToken: text, sourceAddress: canonicalAddress(sourceAddress) ?? '' }
  const { counted } = await exchange.unary(ExchangeInternalServiceService.consumeUse, use, outgoing)
  return counted
}
