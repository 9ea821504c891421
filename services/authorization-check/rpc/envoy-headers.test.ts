import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { percentEncoded } from './envoy-headers.js'

describe('a name as a header says it', () => {
  it.each([['billing', 'billing'], ['a b', 'a%20b'], ['100%', '100%25'], ['\u00e9', '%C3%A9'], ["o'neil/x", "o'neil/x"], ['a\r\nb', 'a%0D%0Ab'], ['\u{1f600}', '%F0%9F%98%80'], ['\ud800', '%EF%BF%BD']])('%j is %s', (name, said) =>
    expect(percentEncoded(name)).toBe(said))

  // Nothing in a name can end the header, or begin another.
  it('is visible ASCII, and can be read back', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(percentEncoded(name)).toMatch(/^[\x21-\x7e]*$/)
      expect(decodeURIComponent(percentEncoded(name))).toBe(name)
    }))
  })
})
