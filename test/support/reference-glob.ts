// The rules of globs written down once more, so plainly that they can be seen to be right.

type Token = { readonly kind: 'literal' | 'one' | 'segment' | 'any'; readonly text: string }

/** Every way to read a pattern: one list of tokens for each choice of parts of { }. */
function readings(pattern: readonly string[]): Token[][] {
  const [head, next] = pattern
  if (head === undefined) return [[]]
  if (head === '{') {
    return partsOf(pattern).flatMap(({ part, rest }) => readings(part).flatMap((tokens) => readings(rest).map((more) => [...tokens, ...more])))
  }
  const [token, taken] = tokenOf(head, next)
  return readings(pattern.slice(taken)).map((tokens) => [token, ...tokens])
}

function tokenOf(head: string, next = ''): [Token, number] {
  if (head === '\\') return [{ kind: 'literal', text: next }, 2]
  if (head === '*' && next === '*') return [{ kind: 'any', text: '' }, 2]
  if (head === '*') return [{ kind: 'segment', text: '' }, 1]
  return [{ kind: head === '?' ? 'one' : 'literal', text: head }, 1]
}

function partsOf(pattern: readonly string[]): { part: string[]; rest: readonly string[] }[] {
  const parts: string[][] = [[]]
  for (let at = 1; at < pattern.length; at += 1) {
    const character = pattern[at] ?? ''
    if (character === '}') return parts.map((part) => ({ part, rest: pattern.slice(at + 1) }))
    if (character === ',') parts.push([])
    else if (character === '\\') parts.at(-1)?.push(character, pattern[at += 1] ?? '')
    else parts.at(-1)?.push(character)
  }
  throw new Error('a { without a }')
}

/** Whether the tokens read the text, found from its end: row by row, whether those from here on read the text from there on. */
function reads(tokens: readonly Token[], text: readonly string[]): boolean {
  let later = [...text.map(() => false), true]
  for (const { kind, text: wanted } of [...tokens].reverse()) {
    const here = later.map(() => false)
    for (let at = text.length; at >= 0; at -= 1) {
      const character = text[at]
      const takesOne = character !== undefined && (kind === 'any' || (kind === 'literal' ? character === wanted : character !== '/'))
      const repeats = kind === 'any' || kind === 'segment'
      here[at] = repeats ? later[at] === true || (takesOne && here[at + 1] === true) : takesOne && later[at + 1] === true
    }
    later = here
  }
  return later[0] === true
}

export const referenceMatches = (pattern: string, text: string) => readings([...pattern]).some((tokens) => reads(tokens, [...text]))
