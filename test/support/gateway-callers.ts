import { digestOf, internalCallers } from '#libs/rpc/service-credential.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Headers } from './raw-calls.js'

const NAME = 'http-gateway'

/** The callers of an auth-exchange, and with them a gateway that is believed about from where a login comes. */
export function gatewayCallers(callers: string, secret: string): string {
  const gateway = { name: NAME, digests: [digestOf(secret)], methods: [Exchange.login.path], organizations: ['*'], projects: ['*'] }
  return JSON.stringify([...internalCallers.parse(callers), gateway])
}

/** What the gateway sends along with a login from there. */
export const forwardedFrom = (address: string, secret: string): Headers => ({ 'countersign-credential': `${NAME}:${secret}`, 'countersign-forwarded-for': address })
