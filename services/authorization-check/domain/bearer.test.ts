import { describe, expect, it } from 'vitest'
import { bearerIn } from './bearer.js'

const malformed = expect.objectContaining({ kind: 'UNAUTHENTICATED', reason: 'AUTHORIZATION_MALFORMED' })
const LONGEST = 'a'.repeat(4096)

describe('the token of a request', () => {
  it.each([[['Bearer a.b-c_d'], 'a.b-c_d'], [['bearer x=='], 'x=='], [['BEARER ~+/x'], '~+/x'], [[`Bearer ${LONGEST}`], LONGEST], [[], undefined]])('in %j', (headers, token) =>
    expect(bearerIn(headers)).toBe(token))

  // A proxy joins headers that came twice by a comma. Seen to fail with the first of several taken.
  it.each([
    [['Bearer a', 'Bearer a']],
    [['Bearer a,Bearer b']],
    [['Bearer a,b']],
    [['Bearer a, Basic b']],
    [['a']],
    [['Basic a']],
    [['Bearer']],
    [['Bearer ']],
    [['Bearer  a']],
    [['Bearer a ']],
    [[' Bearer a']],
    [['Bearer a b']],
    [['Bearer \u00e9']],
    [['Bearer a\n']],
    [[`Bearer ${LONGEST}a`]],
    [['']],
  ])('is not one: %j', (headers) => expect(() => bearerIn(headers)).toThrow(malformed))
})
