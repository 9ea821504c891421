import type { RpcClient } from '#libs/rpc/client.js'
import { ExchangeInternalServiceService } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { TokenReader } from '../ports.js'

/** Asks auth-exchange, each time. */
export function remoteTokens(exchange: RpcClient): TokenReader {
  return {
    describe: (accessToken, outgoing) => exchange.unary(ExchangeInternalServiceService.describeToken, { accessToken }, outgoing),
  }
}
