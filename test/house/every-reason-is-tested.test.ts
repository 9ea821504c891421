import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

type Source = { readonly path: string; readonly text: string }
type Declared = { readonly reason: string; readonly kind: string; readonly message: string; readonly path: string }
type Sources = { readonly code: readonly Source[]; readonly docs: string; readonly tests: readonly Source[] }

const OWN_NAME = 'every-reason-is-tested.test.ts'

/** What a server that is none of ours, or no server, says in place of a reason; errors.ts has it in a variable. */
const OF_PEERS: readonly Declared[] = ['PEER_UNAVAILABLE', 'PEER_REFUSED'].map((reason) => ({
  reason,
  kind: reason === 'PEER_REFUSED' ? 'any' : 'UNAVAILABLE',
  message: '',
  path: 'libs/rpc/errors.ts',
}))

const CONSTRUCTION = /new DomainError\(\s*(?:'(\w+)'|[\w.]+),\s*(?:'(\w+)'|[\w.]+),\s*('[^']*'|"[^"]*"|`[^`]*`|[\w.]+)/g

/** Everything in which code, docs/errors.md and tests are out of step. */
function problemsOf({ code, docs, tests }: Sources): string[] {
  const declared = code.flatMap(declaredIn)
  const rows = rowsOf(docs)
  return [
    ...code.flatMap(unreadableIn),
    ...declared.flatMap(({ reason, kind, message, path }) => {
      const other = declared.find((one) => one.reason === reason && (one.kind !== kind || one.message !== message))
      return other ? [`${path}: ${reason} is something else in ${other.path}`] : []
    }),
    ...declared.flatMap(({ reason, kind, path }) => {
      const found = rows.filter((row) => row.reason === reason)
      return found.length === 1 && found[0]?.kind === kind ? [] : [`${path}: ${reason} needs one row in docs/errors.md, as ${kind}`]
    }),
    ...rows.flatMap(({ reason }) => (declared.some((one) => one.reason === reason) ? [] : [`docs/errors.md: nothing refuses with ${reason}`])),
    ...rows.flatMap(({ reason, isComplete }) => (isComplete ? [] : [`docs/errors.md: the row of ${reason} is not complete`])),
    ...declared.flatMap(({ reason, path }) => (tests.some(({ text }) => text.includes(`'${reason}'`)) ? [] : [`${path}: no test names ${reason}`])),
  ]
}

function declaredIn({ path, text }: Source): Declared[] {
  const literal = [...text.matchAll(CONSTRUCTION)].map(([, kind = '', reason = '', message = '']) => ({ reason, kind, message, path }))
  const ofPeers = OF_PEERS.filter((one) => one.path === path && text.includes(`'${one.reason}'`))
  return [...literal.filter(({ kind, reason }) => kind !== '' && reason !== ''), ...ofPeers]
}

/** A reason that is no literal would be in nobody's sight. errors.ts rebuilds what another server refused with. */
function unreadableIn({ path, text }: Source): string[] {
  const constructions = text.split('new DomainError(').length - 1
  const literal = [...text.matchAll(CONSTRUCTION)].filter(([, kind, reason]) => kind && reason).length
  const rebuilt = path === 'libs/rpc/errors.ts' ? 2 : 0
  return constructions === literal + rebuilt ? [] : [`${path}: a DomainError whose kind and reason are no literals`]
}

function rowsOf(docs: string): { reason: string; kind: string; isComplete: boolean }[] {
  return docs.split('\n').flatMap((line) => {
    const cells = line.split('|').slice(1, -1).map((cell) => cell.trim())
    const [reason = '', kind = ''] = cells
    return /^[A-Z_]+$/.test(reason) ? [{ reason, kind, isComplete: cells.length === 4 && !cells.includes('') }] : []
  })
}

const root = join(import.meta.dirname, '../..')
const filesIn = (...folders: string[]): Source[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('wire/'))
      .map((file) => ({ path: `${folder}/${file}`, text: readFileSync(join(root, folder, file), 'utf8') })))

const isTest = ({ path }: Source): boolean => path.endsWith('.test.ts')

const sources = (): Sources => ({
  code: filesIn('libs', 'services').filter((source) => !isTest(source)),
  docs: readFileSync(join(root, 'docs/errors.md'), 'utf8'),
  tests: filesIn('libs', 'services', 'test').filter((source) => isTest(source) && !source.path.endsWith(OWN_NAME)),
})

describe('every reason that a service refuses with', () => {
  it('means one thing, has a row in docs/errors.md, and is named in a test', () => {
    expect(problemsOf(sources())).toEqual([])
  })

  it('is found: the services and libs refuse with more than thirty', () => {
    expect(new Set(sources().code.flatMap(declaredIn).map(({ reason }) => reason)).size).toBeGreaterThan(30)
  })
})

// A house rule that looks at nothing is green.
describe('what is planted', () => {
  const refusal = (arguments_: string, path = 'services/a/domain/refusals.ts'): Source => ({ path, text: `new DomainError(${arguments_})` })
  const sound: Sources = {
    code: [refusal("'NOT_FOUND', 'A_GONE', 'Gone.'"), refusal("\n    'NOT_FOUND',\n    'A_GONE',\n    'Gone.',\n", 'services/b/domain/refusals.ts')],
    docs: '| reason | kind | meaning | what to do |\n|---|---|---|---|\n| A_GONE | NOT_FOUND | It is gone. | Nothing. |\n',
    tests: [{ path: 'test/a.test.ts', text: "reason: 'A_GONE'" }],
  }

  it.each<[string, Partial<Sources>, number]>([
    ['nothing', {}, 0],
    ['a second kind for a reason', { code: [...sound.code, refusal("'ABORTED', 'A_GONE', 'Gone.'")] }, 4],
    ['a second message for a reason', { code: [...sound.code, refusal("'NOT_FOUND', 'A_GONE', `Gone: ${id}.`")] }, 3],
    ['a reason without a row', { docs: '' }, 2],
    ['two rows for a reason', { docs: sound.docs + sound.docs }, 2],
    ['a row without a reason', { docs: `${sound.docs}| B_GONE | NOT_FOUND | It is gone. | Nothing. |` }, 1],
    ['a row that says nothing', { docs: sound.docs.replace('Nothing.', '') }, 1],
    ['a reason that no test names', { tests: [{ path: 'test/a.test.ts', text: 'A_GONE' }] }, 2],
    ['a reason in a variable', { code: [...sound.code, refusal("'NOT_FOUND', reason, 'Gone.'")] }, 1],
  ])('%s is noticed', (_name, planted, problems) => {
    expect(problemsOf({ ...sound, ...planted })).toHaveLength(problems)
  })
})
