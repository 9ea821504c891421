/** How a figure grows by the minute, and how much of that may be chance: with 95 % it is within `give` of `perMinute`. */
export type Slope = {
  readonly perMinute: number
  readonly give: number
  readonly windows: number
  /** Whether all of the last quarter is above all of the first half. */
  readonly isRisen: boolean
}

export type Point = { readonly at: number; readonly value: number }

/** What is held is what is left when garbage has just been collected: the least of each window. */
const WINDOW_MILLIS = 10_000
const FEWEST_WINDOWS = 7

/** Of a straight line through the floors of the windows. Undefined where there are too few of them to say anything. */
export function slopeOf(points: readonly Point[]): Slope | undefined {
  const floors = floorsOf(points)
  const count = floors.length
  if (count < FEWEST_WINDOWS) return undefined
  const [meanAt, meanValue] = [mean(floors.map(({ at }) => at)), mean(floors.map(({ value }) => value))]
  const spread = sum(floors.map(({ at }) => (at - meanAt) ** 2))
  const slope = sum(floors.map(({ at, value }) => (at - meanAt) * (value - meanValue))) / spread
  const residuals = floors.map(({ at, value }) => value - meanValue - slope * (at - meanAt))
  const error = Math.sqrt(sum(residuals.map((one) => one ** 2)) / (count - 2) / spread)
  const give = error * studentOf(count - 2) * inflation(residuals)
  return { perMinute: slope * 60_000, give: give * 60_000, windows: count, isRisen: isRisen(floors) }
}

function isRisen(points: readonly Point[]): boolean {
  const values = points.map(({ value }) => value)
  const [half, quarter] = [values.slice(0, values.length / 2), values.slice((values.length * 3) / 4)]
  return Math.min(...quarter) > Math.max(...half)
}

function floorsOf(points: readonly Point[]): Point[] {
  const [first] = points
  if (!first) return []
  const lowest = new Map<number, Point>()
  for (const point of points) {
    const window = Math.floor((point.at - first.at) / WINDOW_MILLIS)
    if (point.value < (lowest.get(window)?.value ?? Infinity)) lowest.set(window, { at: first.at + (window + 0.5) * WINDOW_MILLIS, value: point.value })
  }
  return [...lowest.values()]
}

/** Neighbours resemble each other, and so tell less than as many strangers would. */
function inflation(residuals: readonly number[]): number {
  const all = sum(residuals.map((one) => one ** 2))
  const neighbours = sum(residuals.slice(1).map((one, place) => one * (residuals[place] ?? 0)))
  const likeness = all === 0 ? 0 : Math.min(0.8, Math.max(0, neighbours / all))
  return Math.sqrt((1 + likeness) / (1 - likeness))
}

/** Student's t for 95 %, both sides; within 1 % from 4 degrees of freedom on. */
const studentOf = (freedom: number): number => 1.96 + 2.42 / freedom + 5.7 / freedom ** 3 + 2.2 / freedom ** 2

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const mean = (values: readonly number[]): number => sum(values) / values.length
