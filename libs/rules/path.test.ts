import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalPath } from './path.js'

describe('a path', () => {
  it.each([
    ['/', '/'],
    ['/a', '/a'],
    ['/a/b.c/d-e', '/a/b.c/d-e'],
    ['/a/', '/a'],
    ['//a///b', '/a/b'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a'],
    ['/a/..', '/'],
    ['/a%20b', '/a b'],
    ['/%61dmin', '/admin'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/%2E/b', '/a/b'],
    ['/a%252e%252e/b', '/a%2e%2e/b'],
    ['/%C3%A9', '/\u00e9'],
    ['/.git/...', '/.git/...'],
    ['/a;x=1', '/a;x=1'],
    ['/a/*/{b}', '/a/*/{b}'],
    ['/100%25', '/100%'],
  ])('%s is %s', (text, path) => expect(canonicalPath(text)).toEqual({ path }))

  it.each([
    ['/a%2fb', 'has an encoded / or \\ in its path'],
    ['/a%2Fb', 'has an encoded / or \\ in its path'],
    ['/a%5C..%5Cb', 'has an encoded / or \\ in its path'],
    ['/a\\b', 'has a \\ or a control character in its path'],
    ['/a%00', 'has a \\ or a control character in its path'],
    ['/a\n', 'has a \\ or a control character in its path'],
    ['/a%0ab', 'has a \\ or a control character in its path'],
    ['/..', 'has a path that leads above its root'],
    ['/a/../../b', 'has a path that leads above its root'],
    ['/%2e%2e/b', 'has a path that leads above its root'],
    ['/100%', 'has a % in its path that encodes nothing; a % itself is %25'],
    ['/%zz', 'has a % in its path that encodes nothing; a % itself is %25'],
    ['/%c0%ae%c0%ae/b', 'has a % in its path that encodes nothing; a % itself is %25'],
  ])('%j is none: %s', (text, problem) => expect(canonicalPath(text)).toEqual({ problem }))

  it('in its one spelling has no empty, . or .. segment, and only / ends with /', () => {
    const piece = fc.constantFrom('/', '//', '.', '..', 'a', '%2e', '%61', '%25', '%2f', '\\', ' ', '\u{1f600}')
    const written = fc.array(piece, { maxLength: 10 }).map((pieces) => `/${pieces.join('')}`)
    fc.assert(fc.property(written, (text) => {
      const { path } = canonicalPath(text)
      if (path === undefined || path === '/') return
      const [first, ...segments] = path.split('/')
      expect(first).toBe('')
      for (const segment of segments) expect(['', '.', '..']).not.toContain(segment)
    }), { numRuns: 10_000 })
  })

  it('that is in its one spelling already is itself, but for what it would decode', () => {
    const segment = fc.constantFrom('a', 'b.c', '...', 'x y', '\u{1f600}')
    fc.assert(fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
      const path = `/${segments.join('/')}`
      expect(canonicalPath(path)).toEqual({ path })
    }))
  })
})
