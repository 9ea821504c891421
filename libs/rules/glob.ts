// Globs without backtracking: matching walks the pattern once, with all the places of the text that it can have come to,
// so that the worst case is pattern times text. `*` any characters of one segment, `**` any characters, `?` one character
// that is no `/`, `{a,b}` either. Segments are parted by `/`. Everything else is itself; `\` makes the next character itself.

type Simple = { readonly kind: 'literal'; readonly code: number } | { readonly kind: 'one' | 'segment' | 'any' }
type Step = Simple | { readonly kind: 'either'; readonly branches: readonly Simple[][] }

/** Places of the text, marked with 1 from `low` to `high`; none where `low` is above `high`. */
type Places = { readonly marks: Uint8Array; low: number; high: number }

export type Glob = { matches(text: string): boolean }

/** What is wrong with a pattern, or undefined. */
export function globProblem(pattern: string): string | undefined {
  let open = false
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at]
    if (character === '\\') {
      at += 1
      if (at === pattern.length) return 'ends with \\, which must be followed by the character that it stands for'
    } else if (character === '{') {
      if (open) return 'has a { inside of { }, which is not supported'
      open = true
    } else if (character === '}') {
      if (!open) return 'has a } without a {'
      open = false
    }
  }
  return open ? 'has a { without a }' : undefined
}

const SLASH = 47

export function compileGlob(pattern: string): Glob {
  const special = /[*?{\\]/.exec(pattern)
  if (!special) return { matches: (text) => text === pattern }
  const prefix = pattern.slice(0, special.index)
  const steps = stepsOf(pattern.slice(special.index))
  return { matches: (text) => text.startsWith(prefix) && leadsToTheEnd(steps, text, prefix.length) }
}

function stepsOf(pattern: string): Step[] {
  const steps: Step[] = []
  let branches: Simple[][] | undefined
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at]
    if (character === '{') branches = [[]]
    else if (branches && character === '}') {
      steps.push({ kind: 'either', branches })
      branches = undefined
    } else if (branches && character === ',') branches.push([])
    else {
      const doubled = character === '*' && pattern[at + 1] === '*'
      const escaped = character === '\\'
      if (doubled || escaped) at += 1
      const into = branches?.at(-1) ?? steps
      into.push(doubled ? { kind: 'any' } : escaped ? literal(pattern, at) : simple(pattern, at))
    }
  }
  return steps
}

const literal = (pattern: string, at: number): Simple => ({ kind: 'literal', code: pattern.charCodeAt(at) })

function simple(pattern: string, at: number): Simple {
  if (pattern[at] === '*') return { kind: 'segment' }
  return pattern[at] === '?' ? { kind: 'one' } : literal(pattern, at)
}

function leadsToTheEnd(steps: readonly Step[], text: string, start: number): boolean {
  const places = { marks: new Uint8Array(text.length + 1), low: start, high: start }
  places.marks[start] = 1
  take(steps, text, places)
  return places.low <= places.high && places.marks[text.length] === 1
}

/** Moves the places over what the steps match. */
function take(steps: readonly Step[], text: string, places: Places): void {
  for (const step of steps) {
    if (places.low > places.high) return
    switch (step.kind) {
      case 'literal':
        takeOne(text, places, step.code)
        break
      case 'one':
        takeOne(text, places, undefined)
        break
      case 'segment':
        takeSegment(text, places)
        break
      case 'any':
        places.high = text.length
        places.marks.fill(1, places.low)
        break
      case 'either':
        takeEither(step.branches, text, places)
    }
  }
}

/** One character: the given one, or any that is no `/`. From the last place to the first, so that none is moved twice. */
function takeOne(text: string, places: Places, code: number | undefined): void {
  const { marks, low } = places
  let [lowest, highest] = [text.length + 1, -1]
  for (let at = places.high; at >= low; at -= 1) {
    if (marks[at] === 0) continue
    marks[at] = 0
    const found = text.charCodeAt(at)
    const takes = at < text.length && (code === undefined ? found !== SLASH : found === code)
    if (!takes) continue
    lowest = at + (code === undefined ? widthAt(text, at, found) : 1)
    marks[lowest] = 1
    highest = Math.max(highest, lowest)
  }
  places.low = lowest
  places.high = highest
}

/** A character beyond 16 bits is two units of the text. */
const widthAt = (text: string, at: number, unit: number): number =>
  unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00 ? 2 : 1

/** Any characters up to the next `/`, from every place. */
function takeSegment(text: string, places: Places): void {
  const { marks, high } = places
  let inSegment = false
  for (let at = places.low; at <= text.length && (inSegment || at <= high); at += 1) {
    inSegment ||= marks[at] === 1
    if (!inSegment) continue
    marks[at] = 1
    places.high = at
    inSegment = text.charCodeAt(at) !== SLASH
  }
}

/** The places that any of the branches leads to. */
function takeEither(branches: readonly Simple[][], text: string, places: Places): void {
  const starts = { ...places, marks: places.marks.slice() }
  places.marks.fill(0)
  places.low = text.length + 1
  places.high = -1
  for (const branch of branches) {
    const reached = { ...starts, marks: starts.marks.slice() }
    take(branch, text, reached)
    for (let at = reached.low; at <= reached.high; at += 1) if (reached.marks[at] === 1) places.marks[at] = 1
    places.low = Math.min(places.low, reached.low)
    places.high = Math.max(places.high, reached.high)
  }
}
