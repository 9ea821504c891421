// Globs without backtracking: a pattern becomes a small automaton, and matching walks the text once with the set of
// states that are possible. `*` any characters of one segment, `**` any characters, `?` one character that is no `/`,
// `{a,b}` either. Segments are parted by `/`. Everything else is itself; `\` makes the next character itself.

type Step =
  | { readonly kind: 'literal'; readonly character: string; next: number }
  | { readonly kind: 'one'; next: number }
  | { readonly kind: 'segment'; next: number }
  | { readonly kind: 'any'; next: number }
  | { readonly kind: 'fork'; readonly branches: number[] }
  | { readonly kind: 'end' }

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

export function compileGlob(pattern: string): Glob {
  if (!/[*?{\\]/.test(pattern)) return { matches: (text) => text === pattern }
  const { steps, start } = build(pattern)
  return { matches: (text) => run(steps, start, text) }
}

/** Builds from the end, so that every step knows what follows it. */
function build(pattern: string): { steps: Step[]; start: number } {
  const steps: Step[] = [{ kind: 'end' }]
  const add = (step: Step) => steps.push(step) - 1
  const sequence = (tokens: readonly Token[], after: number): number =>
    tokens.reduceRight((next, token) => {
      if (token.kind === 'either') return add({ kind: 'fork', branches: token.branches.map((branch) => sequence(branch, next)) })
      if (token.kind === 'literal') return add({ kind: 'literal', character: token.character, next })
      return add({ kind: token.kind, next })
    }, after)
  return { start: sequence(tokensOf(pattern), 0), steps }
}

type Simple = { readonly kind: 'literal'; readonly character: string } | { readonly kind: 'one' | 'segment' | 'any' }
type Token = Simple | { readonly kind: 'either'; readonly branches: readonly Simple[][] }

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  let branches: Simple[][] | undefined
  const characters = [...pattern]
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? ''
    if (character === '{') branches = [[]]
    else if (branches && character === '}') {
      tokens.push({ kind: 'either', branches })
      branches = undefined
    } else if (branches && character === ',') branches.push([])
    else {
      const doubled = character === '*' && characters[at + 1] === '*'
      const escaped = character === '\\'
      const token = escaped ? literal(characters[at + 1] ?? '') : doubled ? { kind: 'any' as const } : simple(character)
      if (doubled || escaped) at += 1
      const into = branches?.at(-1) ?? tokens
      into.push(token)
    }
  }
  return tokens
}

const literal = (character: string): Simple => ({ kind: 'literal', character })

function simple(character: string): Simple {
  if (character === '*') return { kind: 'segment' }
  return character === '?' ? { kind: 'one' } : literal(character)
}

function run(steps: readonly Step[], start: number, text: string): boolean {
  let states = new Set<number>()
  enter(steps, start, states)
  for (const character of text) {
    const next = new Set<number>()
    for (const state of states) advance(steps, state, character, next)
    if (next.size === 0) return false
    states = next
  }
  return states.has(0)
}

/** Adds a state and every state that is reached from it without a character. */
function enter(steps: readonly Step[], state: number, into: Set<number>): void {
  if (into.has(state)) return
  into.add(state)
  const step = steps[state]
  if (step?.kind === 'fork') for (const branch of step.branches) enter(steps, branch, into)
  if (step?.kind === 'segment' || step?.kind === 'any') enter(steps, step.next, into)
}

// eslint-disable-next-line @typescript-eslint/max-params -- an object here would be one for each character of each check
function advance(steps: readonly Step[], state: number, character: string, into: Set<number>): void {
  const step = steps[state]
  if (!step) return
  switch (step.kind) {
    case 'literal':
      if (step.character === character) enter(steps, step.next, into)
      return
    case 'one':
      if (character !== '/') enter(steps, step.next, into)
      return
    case 'segment':
      if (character !== '/') enter(steps, state, into)
      return
    case 'any':
      enter(steps, state, into)
      return
    case 'fork':
    case 'end':
      return
  }
}
