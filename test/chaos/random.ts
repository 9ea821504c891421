/** Numbers that a seed decides: the same seed, the same choices. What they meet depends on the machine. */
export type Random = {
  /** From 0 up to 1, without 1. */
  fraction(): number
  /** A whole number, both ends included. */
  between(least: number, most: number): number
  chance(probability: number): boolean
  /** Undefined where there is nothing to pick from. */
  pick<T>(from: readonly T[]): T | undefined
  /** One of at least one. */
  oneOf<T>(from: readonly [T, ...T[]]): T
  weighted<T extends { readonly weight: number }>(from: readonly T[]): T | undefined
  /** Another one, whose numbers don't depend on how many were taken here. */
  branch(name: string): Random
}

export function randomOf(seed: string): Random {
  let state = hashOf(seed)
  // mulberry32
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(fraction() * from.length)]
  return {
    fraction,
    between: (least, most) => least + Math.floor(fraction() * (most - least + 1)),
    chance: (probability) => fraction() < probability,
    pick,
    oneOf: (from) => pick(from) ?? from[0],
    weighted: (from) => {
      let left = fraction() * from.reduce((sum, { weight }) => sum + weight, 0)
      return from.find(({ weight }) => (left -= weight) < 0)
    },
    branch: (name) => randomOf(`${seed}/${name}`),
  }
}

function hashOf(text: string): number {
  let hash = 2_166_136_261
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619)
  return hash
}
