// Globs as Infisical has them (picomatch), and ours. What both can say is translated; anything else is a problem. Of theirs,
// /a/** is /a too, /a/**/b is /a/b too, but /a*/** is not /a, nor /**/b just /b. Two things stay different: `*` and `?` of
// theirs match no dot that begins a segment, and /* of theirs is not the root.

export type Translated = { readonly glob: string; readonly problem?: undefined } | { readonly glob?: undefined; readonly problem: string }

const problem = (text: string): Translated => ({ problem: text })

const BELOW_OR_ITSELF = '{,/**}'
const ANY_WAY = '{,**/}'

/** Their pattern in our language. */
export function globFromInfisical(pattern: string): Translated {
  const wrong = unknownHere(pattern)
  if (wrong !== undefined) return problem(wrong)
  const segments = segmentsOf(pattern)
  if (segments.some((segment) => segment.includes('**') && segment !== '**')) return problem('has a ** that is not a segment of its own')
  if (segments.some((segment, place) => segment === '**' && segments[place - 1] === '**')) return problem('has a ** behind a **')
  return { glob: joined(segments, (place) => oursFor(segments, place)) }
}

function unknownHere(pattern: string): string | undefined {
  if (pattern.startsWith('!')) return 'is negated, which no glob here is: use $ne, or a rule that is inverted'
  if (/[!?+*@]\(/.test(pattern)) return 'has an extended glob such as !(a) or +(a)'
  if (/(?<!\\)[[\]()|]/.test(pattern)) return 'has a [, ], (, ) or | that is not escaped'
  const braces = pattern.replace(/\{\{[^{}]*\}\}/g, '').match(/\{[^{}]*\}/g) ?? []
  if (braces.some((group) => !group.includes(','))) return 'has a { } without a comma in it'
  return braces.some((group) => group.includes('..')) ? 'has a range such as {1..3}' : undefined
}

/** What a `**` of theirs is here, with the `/` that it stands between. */
function oursFor(segments: readonly string[], place: number): Between {
  const [before, isLast] = [segments[place - 1], place === segments.length - 1]
  if (before === undefined) return isLast ? AS_IT_IS : { text: ANY_WAY, isOpen: true }
  if (isRoot(segments, place)) return AS_IT_IS
  if (isLast) return endsInStar(before) ? AS_IT_IS : { text: BELOW_OR_ITSELF, isOpen: false }
  return { text: `/${ANY_WAY}`, isOpen: true }
}

/** Our pattern in theirs. */
export function globToInfisical(pattern: string): Translated {
  const segments = segmentsOf(pattern)
  const last = segments.at(-1) ?? ''
  if (last.endsWith(BELOW_OR_ITSELF)) {
    const upTo = globToInfisical(pattern.slice(0, -BELOW_OR_ITSELF.length))
    if (upTo.problem !== undefined) return upTo
    return endsInStar(upTo.glob) || upTo.glob === '' ? problem(`has a ${BELOW_OR_ITSELF} behind a *, or behind nothing`) : { glob: `${upTo.glob}/**` }
  }
  const isUnknown = segments.some((segment, place) => (segment.startsWith(ANY_WAY) ? isRoot(segments, place) || hasStars(segment.slice(ANY_WAY.length)) : segment !== '**' && hasStars(segment)))
  if (isUnknown) return problem('has a ** that is not the rest of a path, or some segments of it')
  const written = segments.map((segment) => (segment === '**' ? segment : segment.startsWith(ANY_WAY) ? `**/${theirs(segment.slice(ANY_WAY.length))}` : theirs(segment)))
  return { glob: joined(written, (place) => theirsFor(written, place)) }
}

const hasStars = (segment: string): boolean => segment.includes('**')

/** What a `**` of ours is there. */
function theirsFor(segments: readonly string[], place: number): Between {
  const [before, isLast] = [segments[place - 1], place === segments.length - 1]
  if (before === undefined || isRoot(segments, place)) return AS_IT_IS
  if (isLast) return endsInStar(before) ? AS_IT_IS : { text: '/**/*', isOpen: false }
  return { text: '/*/**', isOpen: false }
}

const isRoot = (segments: readonly string[], place: number): boolean => place === 1 && segments[0] === ''

const endsInStar = (segment: string): boolean => /(?<!\\)\*$/.test(segment)

/** The text of a `**` with what stands before it; open, where it ends in a `/` of its own. */
type Between = { readonly text: string; readonly isOpen: boolean } | typeof AS_IT_IS

const AS_IT_IS = 'as it is'

function joined(segments: readonly string[], stars: (place: number) => Between): string {
  let [glob, isOpen] = ['', true]
  for (const [place, segment] of segments.entries()) {
    const between = segment === '**' ? stars(place) : AS_IT_IS
    if (between === AS_IT_IS) glob += isOpen ? segment : `/${segment}`
    else glob += between.text
    isOpen = between !== AS_IT_IS && between.isOpen
  }
  return glob
}

/** Parted by `/`, but not within braces. */
const segmentsOf = (pattern: string): string[] => {
  const segments = ['']
  for (const [token] of pattern.matchAll(TOKEN)) {
    if (token === '/') segments.push('')
    else segments.push(`${segments.pop() ?? ''}${token}`)
  }
  return segments
}

// A placeholder, an escaped character, braces with what is in them, or one other character.
const TOKEN = /\{\{[^{}]*\}\}|\\.|\{[^{}]*\}|[^]/gsu

const THEIRS = /(?<!\\)[[\]()!+@|]/g

/** A segment without `**`: what has a meaning there alone is escaped, and braces around one branch, which are nothing here, go. */
const theirs = (segment: string): string =>
  [...segment.matchAll(TOKEN)].map(([token]) => {
    if (token.startsWith('{{') || token.startsWith('\\')) return token
    return (token.startsWith('{') && !token.includes(',') ? token.slice(1, -1) : token).replace(THEIRS, '\\$&')
  }).join('')
