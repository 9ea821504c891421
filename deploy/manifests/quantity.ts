const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

/** Kubernetes' way to write an amount of memory, in bytes; NaN for what nobody writes. */
export function bytesOf(quantity: string | number): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(String(quantity)) ?? []
  return Number(digits) * (UNITS[unit] ?? Number.NaN)
}
