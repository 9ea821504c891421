import type { Budget } from './budget.js'
import { literalStart, type Simple, type Step, stepsOf } from './glob.js'

// What two globs can be proven to share. Each is a machine whose states are places in the pattern; a text leads from state to
// state. Both proofs give up, and so say no, when their budget is spent.

/** What a state reads: one character, anything but `/`, or anything. */
type Reads = { readonly character: string } | 'no-slash' | 'anything'

type State = { readonly reads: Reads | undefined; readonly to: number; readonly free: readonly number[] }

export type Machine = {
  readonly states: readonly State[]
  readonly end: number
  /** How every text begins that it accepts. */
  readonly start: string
}

/** One pair of globs takes no more than this, whatever is left for the others. */
const MOST_STEPS = 100_000

/** Whether every text that matches the one glob matches the other. */
export function isGlobWithin(inner: Machine, outer: Machine, whole: Budget): boolean {
  if (beginDifferently(inner, outer)) return false
  const budget = whole.upTo(MOST_STEPS)
  // Each set of places of the outer machine has a number, so that a pair of place and set is one.
  const sets = new Map<string, number>()
  const seen = new Set<number>()
  const open: { readonly place: number; readonly reached: readonly number[] }[] = []
  const visit = (places: readonly number[], reached: readonly number[]): boolean => {
    const name = reached.join(',')
    const set = sets.get(name) ?? sets.size
    sets.set(name, set)
    for (const place of places) {
      const key = set * inner.states.length + place
      if (!seen.has(key)) open.push({ place, reached })
      seen.add(key)
    }
    return budget.take(places.length + 4 * reached.length)
  }
  if (!visit(closure(inner, [0], budget), closure(outer, [0], budget))) return false
  for (let next = open.pop(); next; next = open.pop()) {
    const { place, reached } = next
    if (place === inner.end && !reached.includes(outer.end)) return false
    const state = inner.states[place]
    if (!state?.reads) continue
    const to = closure(inner, [state.to], budget)
    for (const letter of lettersOf(state.reads, reached, outer)) {
      if (!budget.take(2 * reached.length) || !visit(to, closure(outer, after(outer, reached, letter), budget))) return false
    }
  }
  return true
}

/** Whether no text matches both. */
export function areGlobsDisjoint(left: Machine, right: Machine, whole: Budget): boolean {
  if (beginDifferently(left, right)) return true
  const budget = whole.upTo(MOST_STEPS)
  const seen = new Set<number>()
  const open: (readonly [number, number])[] = []
  const visit = (lefts: readonly number[], rights: readonly number[]): boolean => {
    if (!budget.take(2 * lefts.length * rights.length)) return false
    for (const a of lefts) {
      for (const b of rights) {
        const key = a * right.states.length + b
        if (!seen.has(key)) open.push([a, b])
        seen.add(key)
      }
    }
    return true
  }
  if (!visit(closure(left, [0], budget), closure(right, [0], budget))) return false
  for (let next = open.pop(); next; next = open.pop()) {
    const [a, b] = next
    if (a === left.end && b === right.end) return false
    const [from, against] = [left.states[a], right.states[b]]
    if (!from?.reads || !against?.reads || !readSomethingBoth(from.reads, against.reads)) continue
    if (!visit(closure(left, [from.to], budget), closure(right, [against.to], budget))) return false
  }
  return true
}

const beginDifferently = (one: Machine, other: Machine): boolean => !one.start.startsWith(other.start) && !other.start.startsWith(one.start)

/** A character that no pattern names. */
const OTHER = '\0'

const accepts = (reads: Reads, character: string): boolean =>
  reads === 'anything' || (reads === 'no-slash' ? character !== '/' : reads.character === character)

function readSomethingBoth(one: Reads, other: Reads): boolean {
  if (typeof one === 'object') return accepts(other, one.character)
  return typeof other === 'object' ? accepts(one, other.character) : true
}

/** One character for each way in which the other machine can go on. */
function lettersOf(reads: Reads, reached: readonly number[], { states }: Machine): string[] {
  if (typeof reads === 'object') return [reads.character]
  const named = reached.flatMap((place) => {
    const other = states[place]?.reads
    return typeof other === 'object' ? [other.character] : []
  })
  return [...new Set([...named, '/', OTHER])].filter((letter) => accepts(reads, letter))
}

const after = ({ states }: Machine, reached: readonly number[], letter: string): number[] =>
  reached.flatMap((place) => {
    const state = states[place]
    return state?.reads && accepts(state.reads, letter) ? [state.to] : []
  })

/** The places, and all that are reached from them by reading nothing, in order; what is passed through alone is left out. */
function closure({ states, end }: Machine, places: readonly number[], budget: Budget): number[] {
  const found = new Set(places)
  for (const place of found) for (const free of states[place]?.free ?? []) found.add(free)
  budget.take(8 * found.size)
  return [...found].filter((place) => place === end || states[place]?.reads !== undefined).sort((a, b) => a - b)
}

export function machineOf(pattern: string): Machine {
  const states: { reads: Reads | undefined; to: number; free: number[] }[] = []
  const add = (reads: Reads | undefined, to: number, free: number[] = []) => void states.push({ reads, to, free })
  const simple = (step: Simple) => {
    const at = states.length
    if (step.kind === 'literal') add({ character: step.unit }, at + 1)
    else if (step.kind === 'one') add('no-slash', at + 1)
    else add(step.kind === 'any' ? 'anything' : 'no-slash', at, [at + 1])
  }
  for (const step of wholeCharacters(stepsOf(pattern))) {
    if (step.kind !== 'either') {
      simple(step)
      continue
    }
    const start = states.length
    const ends: number[] = []
    add(undefined, start)
    for (const branch of step.branches) {
      states[start]?.free.push(states.length)
      for (const one of wholeCharacters(branch)) simple(one)
      ends.push(states.length)
      add(undefined, states.length)
    }
    for (const end of ends) states[end]?.free.push(states.length)
  }
  const end = states.length
  add(undefined, end)
  return { states, end, start: literalStart(pattern).text }
}

/** A literal of two units is one character to `?`. */
function wholeCharacters<One extends Step>(steps: readonly One[]): (One | Simple)[] {
  const whole: (One | Simple)[] = []
  for (const step of steps) {
    const last = whole.at(-1)
    const isSecondHalf = step.kind === 'literal' && /^[\udc00-\udfff]$/.test(step.unit) && last?.kind === 'literal' && /^[\ud800-\udbff]$/.test(last.unit)
    if (isSecondHalf) whole[whole.length - 1] = { kind: 'literal', unit: last.unit + step.unit }
    else whole.push(step)
  }
  return whole
}
