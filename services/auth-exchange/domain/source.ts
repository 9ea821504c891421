import { networkOf } from '#libs/rules/subnet.js'

/** Whose address is not known, or who came by a Unix socket. */
const UNKNOWN = 'unknown'

/**
 * What is taken for one source: an IPv4 address, or the first 64 bits of an IPv6 address, since whoever has one has all that
 * begin like it.
 */
export const sourceOf = (address: string | undefined): string => (address === undefined ? undefined : networkOf(address, 64)) ?? UNKNOWN
