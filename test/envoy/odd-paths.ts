import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { allow } from '../support/builders.js'
import { type GuardedApplication, workloadThat } from '../support/guarded-application.js'

// Whoever may read what is public, and nothing else, tries to be served something else: by paths that one server reads in one
// way and the next in another.

const PUBLIC = '/orders/public'

const decoded = (path: string): string => path.replace(/%c0%ae/gi, '.').replace(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16)))

/** What some server does to a path before it looks at it. */
const HABITS: readonly ((path: string) => string)[] = [
  decoded,
  (path) => decoded(decoded(path)),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/\0.*$/, ''),
  (path) => path.replace(/\/{2,}/g, '/'),
]

/** Every path that some server with some of these habits would serve for what it is sent. */
export function readingsOf(target: string): string[] {
  const [path = ''] = target.split(/[?#]/)
  const readings = new Set([path])
  for (const habit of HABITS) for (const reading of [...readings]) readings.add(habit(reading))
  return [...readings].map((reading) => withoutDots(reading))
}

function withoutDots(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

const isWithin = (folder: string, path: string): boolean => path === folder || path.startsWith(`${folder}/`)

export const escapes = (folder: string, target: string): boolean => readingsOf(target).some((reading) => !isWithin(folder, reading))

const KNOWN = [
  '/../secret', '/%2e%2e/secret', '/%2E%2E/secret', '/.%2e/secret', '/..%2fsecret', '/..%2Fsecret', '/%2e%2e%2fsecret', '/..%5csecret', '/..\\secret', '\\..\\secret',
  '/%5c..%5csecret', '/..;/secret', '/..;x=1/secret', '/%2e%2e;/secret', '/..%3b/secret', '/%252e%252e/secret', '/%252e%252e%252fsecret', '/..%252fsecret', '/..%00/secret',
  '/%c0%ae%c0%ae/secret', '/%u002e%u002e/secret', '//../secret', '/a//../../secret', '/./../secret', '/a/%2e/../../secret', '/..%c0%afsecret', '/%%32%65%%32%65/secret', '/..#/secret', '/..?/../secret',
]

const piece = fc.oneof(
  fc.constantFrom('..', '.', '%2e%2e', '.%2E', '%2e', '..;', ';', ';v=1', '%2f', '%5c', '\\', '%252e', '%25', '%00', '%', '%c0%ae', '%3b', '%23', '%3f', '//', '/'),
  fc.constantFrom('secret', 'public', 'a', 'orders', 'a%20b', '%70ublic', 'PUBLIC', 'caf%C3%A9', '%e9', '~', "a'b", 'a:b', '@', '+', '*'),
)
const separator = fc.constantFrom('/', '/', '/', '', '\\', '%2f', '//')
const oddTarget = fc.array(fc.tuple(separator, piece), { minLength: 1, maxLength: 6 }).map((parts) => `${PUBLIC}${parts.flat().join('')}`)

/** Property: what the application is sent is, however it reads it, what was judged. */
export function oddPaths(world: () => GuardedApplication): void {
  let token: string
  beforeAll(async () => {
    token = (await workloadThat(world(), 'reader', allow(['get'], ['orders'], { attribute: 'path', glob: `${PUBLIC}/**` }))).token
  })

  async function served(target: string): Promise<readonly string[]> {
    const { application } = world()
    const { status } = await world().send(target, { headers: { authorization: `Bearer ${token}` } })
    const seen = application.seen.splice(0).map((request) => request.target)
    expect(seen.length, `${target} was answered with ${status}`).toBe(status === 200 ? 1 : 0)
    return seen
  }

  it.each(['/1', '/a%20b/2', '/caf%C3%A9', '/1?next=/orders/secret', '/a/../1', '/a//1', '/%70'])('what is honest is served: %s', async (rest) => {
    const [target = ''] = await served(`${PUBLIC}${rest}`)
    expect(target).toMatch(/^\/orders\/public\//)
    expect(target).not.toContain('..')
  })

  // Seen to fail with neither Envoy's normalize_path nor the refusal of disputed spellings in authorization-check.
  it.each(KNOWN)(`${PUBLIC}%s leads nowhere else`, async (rest) => {
    expect((await served(`${PUBLIC}${rest}`)).filter((target) => escapes(PUBLIC, target))).toEqual([])
  })

  it('nor does what chance makes of such pieces', async () => {
    const counts = { served: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(oddTarget, async (target) => {
        const seen = await served(target)
        counts[seen.length > 0 ? 'served' : 'refused'] += 1
        expect(seen.filter((one) => escapes(PUBLIC, one))).toEqual([])
      }),
      { numRuns: 400 },
    )
    expect(Math.min(counts.served, counts.refused)).toBeGreaterThan(20)
  })
}
