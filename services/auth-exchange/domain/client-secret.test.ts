import { describe, expect, it } from 'vitest'
import { type ClientSecret, endOfOverlap, secretIdOf, secretText, succeeding, UNUSED } from './client-secret.js'

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1) + seconds * 1000)
const secret: ClientSecret = { organizationId: 'o', id: 's', identityId: 'i', description: 'CI', ...UNUSED, epoch: 'e', createTime: at(0) }

// A credential that is honoured cut short or drawn out has more spellings than whoever revokes it knows (Zitadel CVE-2026-27840).
// Seen to fail without the checksum.
it('the text of a secret is one only as it was given: not cut, not drawn out, with no character changed', () => {
  const id = '019fda00-0000-7000-8000-00000000abcd'
  const text = secretText(id, Buffer.from('0123456789abcdef0123456789abcdef'))
  const places = Array.from(text, (_character, place) => place)
  const others = places.flatMap((place) => {
    const [before, character, after] = [text.slice(0, place), text.charAt(place), text.slice(place + 1)]
    return [before, after, before + after, before + character + character + after, before + (character === '1' ? '2' : '1') + after]
  })
  const more = ['0', 'A', '=', ' ', '\n', '\0'].flatMap((character) => [text + character, character + text])
  expect([text, ...others, ...more].filter((one) => secretIdOf(one) !== undefined)).toEqual([text])
  expect(secretIdOf(text)).toBe(id)
})

describe('a rotated secret', () => {
  it.each([
    [null, 0, 100],
    [null, 60, 160],
    [150, 60, 150],
    [160, 60, 160],
    [161, 60, 160],
  ])('that was to end at %s, with an overlap of %s s, ends at %s', (expires, overlapSeconds, ends) => {
    expect(endOfOverlap({ ...secret, expireTime: expires === null ? null : at(expires) }, at(100), overlapSeconds)).toEqual(at(ends))
  })

  it('is succeeded by one with its settings, of which nothing is used', () => {
    const used = { ...secret, useLimit: 5, uses: 4, expireTime: at(30), trustedIps: ['10.0.0.0/8'], lastUsedTime: at(9), lastUsedAddress: '10.0.0.1' }
    const { organizationId, identityId, description } = secret
    const settings = { organizationId, identityId, description, useLimit: 5, trustedIps: ['10.0.0.0/8'] }
    expect(succeeding(used, at(20))).toEqual({ ...UNUSED, ...settings, expireTime: at(50) })
    expect(succeeding(secret, at(20))).toMatchObject({ expireTime: null, useLimit: null })
  })
})
