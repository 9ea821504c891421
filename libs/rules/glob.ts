// Globs without backtracking: matching walks the pattern once, with the set of all places of the text that it can have come
// to, as bits, so that the worst case is pattern times text divided by 32. `*` any characters of one segment, `**` any
// characters, `?` one character that is no `/`, `{a,b}` either. Segments are parted by `/`. Everything else is itself; `\`
// makes the next character itself.

import type { Problem } from './template.js'

/** A literal is one unit of a text, which is half of a character beyond 16 bits. */
export type Simple = { readonly kind: 'literal'; readonly unit: string } | { readonly kind: 'one' | 'segment' | 'any' }
export type Step = Simple | { readonly kind: 'either'; readonly branches: readonly Simple[][] }

export type Glob = { matches(text: string): boolean }

/** What is wrong with a pattern, or undefined. */
export function globProblem(pattern: string): Problem | undefined {
  let opened = -1
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at]
    const problem = (text: string): Problem => ({ column: at + 1, problem: text })
    if (character === '\\') {
      if (at + 1 === pattern.length) return problem('ends with \\, which must be followed by the character that it stands for')
      at += 1
    } else if (character === '{') {
      if (opened !== -1) return problem('has a { inside of { }, which is not supported')
      opened = at
    } else if (character === '}') {
      if (opened === -1) return problem('has a } without a {')
      opened = -1
    }
  }
  return opened === -1 ? undefined : { column: opened + 1, problem: 'has a { without a }' }
}

/** The pattern that a text, and nothing else, matches. */
export const escapeGlob = (text: string): string => text.replace(/[*?{},\\]/g, '\\$&')

/** How everything begins that matches, and whether nothing comes after it. */
export function literalStart(pattern: string): { readonly text: string; readonly isWhole: boolean } {
  const steps = stepsOf(pattern)
  const end = steps.findIndex(({ kind }) => kind !== 'literal')
  return { text: textOf(end === -1 ? steps : steps.slice(0, end)), isWhole: end === -1 }
}

export function compileGlob(pattern: string): Glob {
  const steps = stepsOf(pattern)
  const middle = steps.findIndex(({ kind }) => kind !== 'literal')
  if (middle === -1) {
    const only = textOf(steps)
    return { matches: (text) => text === only }
  }
  const end = steps.findLastIndex(({ kind }) => kind !== 'literal') + 1
  const prefix = textOf(steps.slice(0, middle))
  const suffix = textOf(steps.slice(end))
  const between = compileBetween(steps.slice(middle, end))
  const least = prefix.length + suffix.length
  return {
    matches: (text) =>
      text.length >= least && text.startsWith(prefix) && text.endsWith(suffix) && between(text.slice(prefix.length, text.length - suffix.length)),
  }
}

/** Most patterns are a text with one star, which needs no set of places. */
function compileBetween(steps: readonly Step[]): (text: string) => boolean {
  const [first, ...more] = steps
  if (more.length === 0 && first?.kind === 'any') return () => true
  if (more.length === 0 && first?.kind === 'segment') return (text) => !text.includes('/')
  return (text) => leadsToTheEnd(steps, text)
}

const textOf = (steps: readonly Step[]): string => steps.map((step) => (step.kind === 'literal' ? step.unit : '')).join('')

export function stepsOf(pattern: string): Step[] {
  const steps: Step[] = []
  let branches: Simple[][] | undefined
  for (let at = 0; at < pattern.length; at += 1) {
    const unit = pattern[at] ?? ''
    if (unit === '{') branches = [[]]
    else if (branches && unit === '}') {
      steps.push({ kind: 'either', branches })
      branches = undefined
    } else if (branches && unit === ',') branches.push([])
    else {
      const doubled = unit === '*' && pattern[at + 1] === '*'
      const escaped = unit === '\\'
      if (doubled || escaped) at += 1
      const into = branches?.at(-1) ?? steps
      into.push(doubled ? { kind: 'any' } : escaped ? { kind: 'literal', unit: pattern[at] ?? '' } : simple(unit))
    }
  }
  return steps
}

function simple(unit: string): Simple {
  if (unit === '*') return { kind: 'segment' }
  return unit === '?' ? { kind: 'one' } : { kind: 'literal', unit }
}

/** A set of places of a text: a bit for each unit, that is the place before it, and one for the end. */
type Places = Uint32Array

const noPlaces = (text: string): Places => new Uint32Array((text.length >>> 5) + 1)

function flip(places: Places, at: number): void {
  places[at >>> 5] = (places[at >>> 5] ?? 0) ^ (1 << (at & 31))
}

function leadsToTheEnd(steps: readonly Step[], text: string): boolean {
  const places = noPlaces(text)
  flip(places, 0)
  if (!take(steps, places, new PlacesIn(text))) return false
  return (((places.at(-1) ?? 0) >>> (text.length & 31)) & 1) === 1
}

/** The places of a text that steps ask for, each set made when it is. */
class PlacesIn {
  readonly #of = new Map<string, Places>()
  #inSegments: Places | undefined
  #halves: Places | undefined

  constructor(private readonly text: string) {}

  /** Before the unit. */
  of(unit: string): Places {
    const known = this.#of.get(unit)
    if (known) return known
    const found = noPlaces(this.text)
    for (let at = this.text.indexOf(unit); at !== -1; at = this.text.indexOf(unit, at + 1)) flip(found, at)
    this.#of.set(unit, found)
    return found
  }

  /** Before anything but `/`. */
  inSegments(): Places {
    if (this.#inSegments) return this.#inSegments
    const found = this.of('/').map((word) => ~word)
    const last = found.length - 1
    found[last] = (found[last] ?? 0) & ((1 << (this.text.length & 31)) - 1)
    this.#inSegments = found
    return found
  }

  /** Before the second half of a character. */
  halves(): Places {
    if (this.#halves) return this.#halves
    const found = noPlaces(this.text)
    for (const { index } of this.text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) flip(found, index + 1)
    this.#halves = found
    return found
  }
}

/** Moves the places over what the steps match; false where that leaves none. */
function take(steps: readonly Step[], places: Places, text: PlacesIn): boolean {
  return steps.every((step) => {
    switch (step.kind) {
      case 'literal':
        return takeOne(places, text.of(step.unit))
      case 'one':
        return takeOne(places, text.inSegments()) && leaveHalves(places, text.halves())
      case 'segment':
        return takeSegment(places, text.inSegments())
      case 'any':
        return takeAny(places)
      case 'either':
        return takeEither(step.branches, places, text)
    }
  })
}

/** The places that are some of `from` move on by one; the others go. */
function takeOne(places: Places, from: Places): boolean {
  let carry = 0
  let any = 0
  for (let word = 0; word < places.length; word += 1) {
    const taken = (places[word] ?? 0) & (from[word] ?? 0)
    const moved = (taken << 1) | carry
    carry = taken >>> 31
    places[word] = moved
    any |= moved
  }
  return any !== 0
}

/** The places within a character move on to its end. */
function leaveHalves(places: Places, halves: Places): boolean {
  let carry = 0
  for (let word = 0; word < places.length; word += 1) {
    const place = places[word] ?? 0
    const within = place & (halves[word] ?? 0)
    places[word] = (place ^ within) | (within << 1) | carry
    carry = within >>> 31
  }
  return true
}

/**
 * Adds every place up to the end of the segment. A sum finds them: a segment is a run of ones, and where a place is added to
 * the run, a carry goes through the rest of it and comes to lie behind it.
 */
function takeSegment(places: Places, inSegments: Places): boolean {
  let carry = 0
  for (let word = 0; word < places.length; word += 1) {
    const run = inSegments[word] ?? 0
    const place = places[word] ?? 0
    const sum = run + ((place & run) >>> 0) + carry
    carry = sum > 0xffff_ffff ? 1 : 0
    places[word] = place | (sum ^ run)
  }
  return true
}

/** Adds every place after the first. */
function takeAny(places: Places): boolean {
  const first = places.findIndex((word) => word !== 0)
  const word = places[first] ?? 0
  places[first] = word | -(word & -word)
  places.fill(0xffff_ffff, first + 1)
  return true
}

/** The places that any of the branches leads to. */
function takeEither(branches: readonly Simple[][], places: Places, text: PlacesIn): boolean {
  const start = places.slice()
  places.fill(0)
  for (const branch of branches) {
    const reached = start.slice()
    if (take(branch, reached, text)) for (const [word, bits] of reached.entries()) places[word] = (places[word] ?? 0) | bits
  }
  return places.some((word) => word !== 0)
}
