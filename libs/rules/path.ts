// Paths are compared in one spelling, so that no other one of the same path slips by a deny: percent-encoding is undone once,
// `.` and `..` are walked (RFC 3986, 5.2.4), and there is one `/` between segments and none at the end.

export type CanonicalPath = { readonly path: string; readonly problem?: undefined } | { readonly path?: undefined; readonly problem: string }

/** Whether a text is taken for a path. */
export const isPath = (text: string): boolean => text.startsWith('/')

// Servers disagree on whether these part segments.
const ENCODED_SEPARATOR = /%(?:2f|5c)/i
const NEVER_IN_A_PATH = /[\p{Cc}\\]/u
const ALREADY_CANONICAL = /^(?:\/(?!\.{0,2}(?:\/|$))[^%/\\\p{Cc}]*)+$/u

export function canonicalPath(text: string): CanonicalPath {
  if (ALREADY_CANONICAL.test(text)) return { path: text }
  if (ENCODED_SEPARATOR.test(text)) return { problem: 'has an encoded / or \\ in its path' }
  const decoded = decodedOnce(text)
  if (decoded === undefined) return { problem: 'has a % in its path that encodes nothing; a % itself is %25' }
  if (NEVER_IN_A_PATH.test(decoded)) return { problem: 'has a \\ or a control character in its path' }
  const segments: string[] = []
  for (const segment of decoded.split('/')) {
    if (segment === '..' && segments.pop() === undefined) return { problem: 'has a path that leads above its root' }
    if (segment !== '' && segment !== '.' && segment !== '..') segments.push(segment)
  }
  return { path: `/${segments.join('/')}` }
}

function decodedOnce(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
