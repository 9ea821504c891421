import { networkOf } from '#libs/rules/subnet.js'

/** Whose address is not known, or who came by a Unix socket. */
const UNKNOWN = 'unknown'

/**
 * What is taken for one source: an IPv4 address, or the first 64 bits of an IPv6 address, since whoever has one has all that
 * begin like it. `peer` is `address:port`, an IPv6 address without brackets.
 */
export function sourceOf(peer: string): string {
  const port = peer.lastIndexOf(':')
  return (port < 0 ? undefined : networkOf(peer.slice(0, port), 64)) ?? UNKNOWN
}
