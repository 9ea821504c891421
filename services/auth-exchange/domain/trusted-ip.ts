import type { Report } from '#libs/domain-error.js'
import { type Subnet, subnetOf } from '#libs/rules/subnet.js'
import { trustedSourceOf } from '#libs/rules/trusted-source.js'

export { EVERYWHERE } from '#libs/rules/trusted-source.js'

const MOST = 100

/** Addresses and ranges in their one spelling, each once. `at` reports what is wrong with the list, or with one of it. */
export function trustedIpsFrom(cidrs: readonly string[], at: (place?: number) => Report): readonly string[] {
  if (cidrs.length === 0 || cidrs.length > MOST) at()(`must be 1 to ${MOST} addresses or ranges`)
  const canonical = cidrs.slice(0, MOST).flatMap((text, place) => {
    const subnet = subnetOf(text)
    if (!subnet) at(place)('must be an IPv4 or IPv6 address, or a range as 10.0.0.0/8 with no bit set behind the prefix')
    return subnet ? [cidrOf(subnet)] : []
  })
  return [...new Set(canonical)]
}

/** What is asked for, or what holds already where the list is absent. */
export function trustedIpsOver<Current extends readonly string[] | null>(asked: { readonly cidrs: readonly string[] } | undefined, current: Current, at: (path: string) => Report): readonly string[] | Current {
  return asked === undefined ? current : trustedIpsFrom(asked.cidrs, (place) => at(place === undefined ? 'cidrs' : `cidrs[${place}]`))
}

/** Reports every one that is not within one of those that are trusted already. */
export function assertWithin(cidrs: readonly string[], trusted: readonly string[], at: (path: string) => Report): void {
  const outer = trusted.flatMap((cidr) => subnetOf(cidr) ?? [])
  for (const [place, cidr] of cidrs.entries()) {
    const inner = subnetOf(cidr)
    if (!inner || !outer.some((one) => one.covers(inner))) at(`cidrs[${place}]`)(`must be within what the method trusts: ${trusted.join(', ')}`)
  }
}

const cidrOf = ({ address, prefix }: Subnet): string => `${address.toString()}/${prefix}`

/** Whether somebody at an address is trusted by each of the lists. Whose address is not known is trusted only where everybody is. */
export function trustedBy(...lists: readonly (readonly string[])[]): (address: string | undefined) => boolean {
  const sources = lists.flatMap((cidrs) => trustedSourceOf(cidrs) ?? [])
  return (address) => sources.every((source) => source.holds(address))
}
