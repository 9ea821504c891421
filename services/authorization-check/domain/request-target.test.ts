import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalPath } from '#libs/rules/path.js'
import { targetOf } from './request-target.js'

const refused = expect.objectContaining({ kind: 'PERMISSION_DENIED', reason: 'PATH_NOT_CANONICAL' })

describe('what a request is for', () => {
  it.each([
    ['/', '/', [], ''],
    ['/a/b', '/a/b', ['a', 'b'], ''],
    ['/a/', '/a', ['a'], ''],
    ['/a/b?c=d&e', '/a/b', ['a', 'b'], 'c=d&e'],
    ['/a?b?/../c', '/a', ['a'], 'b?/../c'],
    ['/%61dmin/%2dx%7E', '/admin/-x~', ['admin', '-x~'], ''],
    ['/a%20b/%C3%A9', '/a b/\u00e9', ['a b', '\u00e9'], ''],
    ['/what%3F%23', '/what?#', ['what?#'], ''],
    ['/.well-known/...', '/.well-known/...', ['.well-known', '...'], ''],
    ['/a:b@c,d=e!', '/a:b@c,d=e!', ['a:b@c,d=e!'], ''],
  ])('%s', (text, path, segments, query) => expect(targetOf(text)).toEqual({ path, segments, query }))

  // Each was seen to be let through without its part of DISPUTED, or of what canonicalPath refuses.
  it.each([
    ...['/a/../b', '/a/./b', '/..', '/.', '/a/..', '/a/.', '/../a'],
    ...['/a/%2e%2e/b', '/a/.%2E/b', '/a/%2e/b', '/%2e%2e', '/%2E'],
    ...['//', '//a', '/a//b', '/a//'],
    ...['/a;b', '/a/..;/b', '/a%3bb', '/a%3Bb', '/;'],
    ...['/a\\b', '/a%5cb', '/a%5Cb', '/a%2fb', '/a%2Fb'],
    ...['/a%25b', '/a%252e%252e/b', '/%2525'],
    ...['/a%00', '/a%0a', '/a%1f', '/a%7f', '/a%c2%85', '/a\0', '/a\nb'],
    ...['/%', '/a%2', '/%zz', '/%ff', '/%c3', '/%c3%28', '/%ed%a0%80', '/a\ufffdb'],
    ...['/a#b', '/a?b#c', '#'],
    ...['', 'a', '*', '?a', 'http://a/b', '%2fa', '.'],
  ])('is not told by %j', (text) => expect(() => targetOf(text)).toThrow(refused))
})

const pieces = ['/', '//', '.', '..', '%2e', '%2E', '%2f', '%5c', '%25', '%3b', '%41', '%20', '%c3%a9', '%', ';', '\\', '\0', 'a', 'B', '?', '#', '*', '\u00e9', '\ufffd']
const targets = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), { maxLength: 12 }).map((all) => `/${all.join('')}`)

function pathOf(text: string): string | undefined {
  try {
    return targetOf(text).path
  } catch {
    return undefined
  }
}

describe('any path', () => {
  // Rules compare paths by canonicalPath: what is judged is what was read, and reading it again changes nothing.
  it('that is not refused is in its one spelling', () => {
    fc.assert(fc.property(targets, (text) => {
      const path = pathOf(text)
      if (path === undefined) return
      expect(canonicalPath(path)).toEqual({ path })
      expect(path.split('/').filter((segment) => segment === '.' || segment === '..')).toEqual([])
      expect(path).not.toMatch(/[\\;%\p{Cc}]|\/\//u)
    }), { numRuns: 3_000 })
  })

  it('that is refused stays so in every spelling of its letters', () => {
    fc.assert(fc.property(targets, (text) => {
      const respelled = text.replace(/[a-zB.]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
      // An escape that is cut in two by this is another path.
      fc.pre(!/%[^%/]?%/.test(respelled) && !text.includes('%'))
      expect(pathOf(respelled)).toBe(pathOf(text))
    }), { numRuns: 3_000 })
  })
})
