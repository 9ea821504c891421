import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandLine, serviceGroups } from '../../docs/generator/variables.js'
import { pages, read, ROOT } from './documents.js'
import { problemsOfPicture } from './mermaid.js'

// The pictures of docs/architecture.md can be drawn, and each says which files do what it shows.

const { text } = read('docs/architecture.md')
const sections = text.split(/^## /m).slice(1)
const picturesIn = (page: string): string[] => [...page.matchAll(/^```mermaid\n([^]*?)^```$/gm)].map(([, code = '']) => code)

const filesOf = (section: string): string[] => [...(/^Files: ([^]*?)\.$/m.exec(section)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, file = '']) => file)

describe('docs/architecture.md', () => {
  it('has a picture in each section, and the files that do it', () => {
    const lacking = sections.filter((section) => picturesIn(section).length !== 1 || filesOf(section).length < 3).map((section) => section.split('\n')[0])
    expect(lacking).toEqual([])
    expect(sections.length).toBeGreaterThan(8)
  })

  it('names files that are there, and not twice in a section', () => {
    const files = sections.map(filesOf)
    expect(files.flat().filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
    for (const some of files) expect(some).toEqual([...new Set(some)])
  })

  it('names in its pictures only what the code has: methods, variables', () => {
    const pictures = picturesIn(text).join('\n')
    const methods = [...pictures.matchAll(/: ([A-Z][a-z]+[A-Z][A-Za-z]+)/g)].map(([, name = '']) => name)
    const protos = ['registry', 'exchange'].flatMap((service) => [`countersign/${service}/v1/internal.proto`]).concat(
      'countersign/registry/v1/identity_registry.proto', 'countersign/exchange/v1/auth_exchange.proto', 'countersign/feed/v1/change_feed.proto')
    const all = protos.map((path) => read(`proto/${path}`).text).join('\n')
    expect(methods.filter((name) => !all.includes(`rpc ${name}(`))).toEqual([])
    expect(methods.length).toBeGreaterThan(5)
    const variables = [...serviceGroups().flatMap((group) => group.variables), ...commandLine()].map(({ name }) => name)
    const named = [...pictures.matchAll(/\b[A-Z]+_[A-Z_]+\b/g)].map(([name]) => name).filter((name) => name !== 'NOT_SERVING')
    expect(named.filter((name) => !variables.includes(name))).toEqual([])
  })
})

describe('every picture of every page', () => {
  it('can be drawn', () => {
    const problems = pages().flatMap(({ path, text: page }) => picturesIn(page).flatMap((code) => problemsOfPicture(code).map((problem) => `${path}: ${problem}`)))
    expect(problems).toEqual([])
  })
})

// A house rule that looks at nothing is green.
describe('what is planted', () => {
  const sequence = (...lines: string[]) => ['sequenceDiagram', 'participant a', 'participant b as B', 'a->>b: x', ...lines].join('\n')

  it.each([
    ['nothing', sequence('opt x', 'b-->>a: y', 'end', 'alt x', 'a-)b: z', 'else y', 'Note over a,b: n', 'end'), 0],
    ['nothing', 'flowchart LR\na[A]\nb[(B)]\na -->|x| b\nb -.-> a', 0],
    ['an end that is not declared', sequence('a->>c: x'), 1],
    ['a note over nobody', sequence('Note over c: x'), 1],
    ['somebody who does nothing', sequence('participant c'), 1],
    ['somebody twice', sequence('participant a'), 1],
    ['a block that is not ended', sequence('loop x'), 1],
    ['an end too many', sequence('end'), 1],
    ['an else in a loop', sequence('loop x', 'else y', 'end'), 1],
    ['an arrow that is none', sequence('a=>b: x'), 1],
    ['a message without words', sequence('a->>b'), 1],
    ['a semicolon', sequence('a->>b: x; y'), 1],
    ['the word that ends a block', sequence('a->>b: to the end of it'), 1],
    ['another kind of picture', 'pie\na: 1', 1],
    ['an edge to nowhere', 'flowchart LR\na[A]\na --> b', 1],
    ['a node alone', 'flowchart LR\na[A]', 1],
    ['brackets in a node', 'flowchart LR\na[A (x)]\na --> a', 3],
  ])('%s', (_what, code, problems) => {
    expect(problemsOfPicture(code)).toHaveLength(problems)
  })
})
