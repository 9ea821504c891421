import { subnetOf } from './subnet.js'

/** Any address of either family, and whoever has none that is known. The families never cross: `::/0` holds no IPv4 address. */
export const EVERYWHERE: readonly string[] = ['0.0.0.0/0', '::/0']

/** From where something may be done, where that is not everywhere. */
export type TrustedSource = {
  readonly cidrs: readonly string[]
  /** False also where no address is known, and for what is none. */
  holds(address: string | undefined): boolean
}

/** Undefined: everywhere. What is no range holds nothing, and an empty list nobody. */
export function trustedSourceOf(cidrs: readonly string[]): TrustedSource | undefined {
  if (EVERYWHERE.every((everybody) => cidrs.includes(everybody))) return undefined
  const subnets = cidrs.map(subnetOf)
  return { cidrs, holds: (address) => address !== undefined && subnets.some((subnet) => subnet?.holds(address) === true) }
}
