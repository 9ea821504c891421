import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

// Addresses and ranges of them. An IPv4 address that was mapped into IPv6 is the IPv4 address.

type Address = ipaddr.IPv4 | ipaddr.IPv6

export type Subnet = {
  /** Undefined for a text that is no address. */
  holds(text: string): boolean | undefined
  /** Whether every address of the other is in this one. */
  covers(other: Subnet): boolean
  readonly address: Address
  readonly prefix: number
}

/** The one spelling of an address, or undefined where it is none. */
export const canonicalAddress = (text: string): string | undefined => addressOf(text)?.toString()

/** An IPv4 address, or the network of an IPv6 address that its first `prefix` bits name, as `2001:db8::/64`; a multiple of 16. */
export function networkOf(text: string, prefix: number): string | undefined {
  // It has one spelling.
  if (isIP(text) === 4) return text
  const address = addressOf(text)
  if (!(address instanceof ipaddr.IPv6)) return address?.toString()
  const kept = prefix / 16
  return `${new ipaddr.IPv6(address.parts.map((part, place) => (place < kept ? part : 0))).toString()}/${prefix}`
}

/** `10.0.0.0/8`, or one address. Undefined where it is neither, or has bits set behind its prefix. */
export function subnetOf(text: string): Subnet | undefined {
  const [address = '', length, ...more] = text.split('/')
  const given = addressOf(address)
  const bits = isIP(address) === 4 ? 32 : 128
  if (!given || more.length > 0 || (length !== undefined && (!/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits))) return undefined
  // Of a mapped range the first 96 bits say only that it is one.
  const prefix = (length === undefined ? bits : Number(length)) - (bits - bitsOf(given))
  if (prefix < 0 || !hasNothingBehind(given, prefix)) return undefined
  const holds = (other: Address) => other.kind() === given.kind() && other.match(given, prefix)
  return {
    address: given,
    prefix,
    holds: (text) => {
      const other = addressOf(text)
      return other && holds(other)
    },
    covers: (other) => other.prefix >= prefix && holds(other.address),
  }
}

/** The library alone would also take octal, short and hexadecimal spellings, and zones, and take `::10.0.0.1` for one that was mapped. */
const addressOf = (text: string): Address | undefined =>
  isIP(text) === 0 || text.includes('%') ? undefined : ipaddr.process(text.replace(/^::(?=\d+\.)/, '0:0:0:0:0:0:'))

const bitsOf = (address: Address): number => (address.kind() === 'ipv4' ? 32 : 128)

function hasNothingBehind(address: Address, prefix: number): boolean {
  return address.toByteArray().every((byte, place) => {
    const kept = Math.min(8, Math.max(0, prefix - place * 8))
    return (byte & (0xff >> kept)) === 0
  })
}
