import { canonicalAddress } from '../rules/subnet.js'
import type { ServiceCallers } from './service-credential.js'
import type { Call } from './unary.js'

// Whose address counts where it is asked from where somebody calls. The address of the connection can't be made up; any header
// can, so that only a service which is known to put there what it saw is believed.

export const FORWARDED_HEADER = 'countersign-forwarded-for'

/**
 * The address that a call comes from, in its one spelling; undefined where it is not known. A call that shows a service
 * credential is forwarded: then the address is the one in the header, or unknown, and never that of the service in between. A
 * credential that is not good for the method is refused, since a gateway whose credential has expired must not lend its own
 * address to everybody behind it.
 */
export function sourceAddressOf(call: Call, callers: ServiceCallers): string | undefined {
  if (!callers.isShownIn(call)) return call.peerAddress
  callers.require(call)
  const [told, ...more] = call.metadata.get(FORWARDED_HEADER)
  return typeof told === 'string' && more.length === 0 ? canonicalAddress(told) : undefined
}
