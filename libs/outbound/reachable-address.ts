import ipaddr from 'ipaddr.js'
import { canonicalAddress, type Subnet, subnetOf } from '../rules/subnet.js'

/** Whatever is not in it is of no use to the public: IPv4 in its many guises of IPv6 (mapped, compatible, NAT64), and what is local. */
const PUBLIC_IPV6 = subnetOf('2000::/3')

// Where clouds tell machines their credentials: some of these are public addresses by their range.
const METADATA = new Set([
  '169.254.169.254', '169.254.170.2', '169.254.170.23', '168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254',
])

/** Whether a request that somebody else configured may go to the address: a public one, or one of a network that was allowed. */
export function isReachable(text: string, allowed: readonly Subnet[]): boolean {
  const address = canonicalAddress(text)
  if (address === undefined || METADATA.has(address)) return false
  return isPublic(address) || allowed.some((network) => network.holds(address) === true)
}

function isPublic(address: string): boolean {
  const parsed = ipaddr.parse(address)
  return parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || PUBLIC_IPV6?.holds(address) === true)
}
