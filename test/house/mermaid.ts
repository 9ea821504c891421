// As much of Mermaid as the pages use. What is not understood here is a fault: it may be one there too.

const PARTICIPANT = /^participant ([a-z]+)(?: as .+)?$/
const MESSAGE = /^([a-z]+)(?:->>|-->>|-\))([a-z]+): (.+)$/
const NOTE = /^Note (?:over|left of|right of) ([a-z]+)(?:,([a-z]+))?: .+$/
const OPENS = /^(alt|opt|loop|par|critical) .+$/
const GOES_ON: Readonly<Record<string, string>> = { else: 'alt', and: 'par', option: 'critical' }

/** What is wrong with a picture, by line. */
export function problemsOfPicture(code: string): string[] {
  const [kind = '', ...rest] = code.split('\n').map((line) => line.trim()).filter((line) => line !== '')
  // These end a statement, a block, or begin an entity, in the middle of a text.
  const spoilt = rest.filter((line) => line !== 'end' && /[;#]|\bend\b/.test(line)).map((line) => `${line}: has ; or # or the word end`)
  if (kind === 'sequenceDiagram') return [...spoilt, ...problemsOfSequence(rest)]
  if (/^flowchart (?:LR|TB)$/.test(kind)) return [...spoilt, ...problemsOfFlowchart(rest)]
  return [`${kind}: is no picture that is known here`]
}

function problemsOfSequence(lines: readonly string[]): string[] {
  const declared = lines.flatMap((line) => PARTICIPANT.exec(line)?.[1] ?? [])
  const twice = declared.filter((name, place) => declared.indexOf(name) !== place).map((name) => `${name}: is declared twice`)
  const used = lines.flatMap((line) => [...(MESSAGE.exec(line)?.slice(1, 3) ?? []), ...(NOTE.exec(line)?.slice(1, 3) ?? [])]).filter((name) => typeof name === 'string')
  const unknown = used.filter((name) => !declared.includes(name)).map((name) => `${name}: is not declared`)
  const idle = declared.filter((name) => !used.includes(name)).map((name) => `${name}: does nothing`)
  return [...twice, ...unknown, ...idle, ...problemsOfBlocks(lines)]
}

function problemsOfBlocks(lines: readonly string[]): string[] {
  const open: string[] = []
  const problems: string[] = []
  for (const line of lines) {
    const word = line.split(' ')[0] ?? ''
    if (OPENS.test(line)) open.push(word)
    else if (word in GOES_ON && line !== word) {
      if (open.at(-1) !== GOES_ON[word]) problems.push(`${line}: is in no ${GOES_ON[word] ?? ''}`)
    } else if (line === 'end') {
      if (open.pop() === undefined) problems.push('end: ends nothing')
    } else if (!PARTICIPANT.test(line) && !MESSAGE.test(line) && !NOTE.test(line)) problems.push(`${line}: is not understood`)
  }
  return [...problems, ...open.map((word) => `${word}: is not ended`)]
}

const NODE = /^([a-z]+)(?:\[[^[\]()]+\]|\[\([^[\]()]+\)\])$/
const EDGE = /^([a-z]+) (?:-->|-\.->)(?:\|[^|]+\|)? ([a-z]+)$/

function problemsOfFlowchart(lines: readonly string[]): string[] {
  const declared = lines.flatMap((line) => NODE.exec(line)?.[1] ?? [])
  const used = lines.flatMap((line) => EDGE.exec(line)?.slice(1, 3) ?? [])
  return [
    ...lines.filter((line) => !NODE.test(line) && !EDGE.test(line)).map((line) => `${line}: is not understood`),
    ...used.filter((name) => !declared.includes(name)).map((name) => `${name}: is not declared`),
    ...declared.filter((name) => !used.includes(name)).map((name) => `${name}: does nothing`),
  ]
}
