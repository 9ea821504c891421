/** The value that `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]]
  return low === undefined || high === undefined ? NaN : (low + high) / 2
}

/** How often the larger of two, one of each, is of the same ones: 0.5 where they can't be told apart, 1 where they always can (Mann–Whitney). */
export function guessedRight(ones: readonly number[], others: readonly number[]): number {
  const larger = ones.reduce((sum, one) => sum + others.reduce((count, other) => count + (one > other ? 1 : one === other ? 0.5 : 0), 0), 0)
  const share = larger / (ones.length * others.length)
  return Math.max(share, 1 - share)
}
