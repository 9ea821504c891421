import { describe, expect, it } from 'vitest'
import { assertionFrom } from './assertion.js'
import { Unproven } from './unproven.js'

const segment = (text: string) => Buffer.from(text).toString('base64url')
const SIGNATURE = segment('signature')
const spelled = (header: unknown, claims: unknown = { sub: 'a' }) => [header, claims].map((part) => segment(typeof part === 'string' ? part : JSON.stringify(part))).concat(SIGNATURE).join('.')
const reasonOf = (text: string): string => {
  try {
    return `taken: ${assertionFrom(text).algorithm}`
  } catch (error) {
    if (!(error instanceof Unproven)) throw error
    return error.reason
  }
}

describe('an assertion', () => {
  it('is a JWT in its one spelling', () => {
    const text = spelled({ alg: 'ES256', kid: 'k1', typ: 'JWT' }, { sub: 'a', exp: 1 })
    expect(assertionFrom(text)).toEqual({ text, algorithm: 'ES256', keyId: 'k1', claims: { sub: 'a', exp: 1 } })
  })

  it.each([undefined, 'JWT', 'jwt', 'JOSE', 'application/jwt'])('may be of the type %s', (typ) => {
    expect(reasonOf(spelled({ alg: 'RS256', typ }))).toBe('taken: RS256')
  })

  // Attacks 27 to 30 and 38 of facts/authentication.md. Each was seen to be taken without its line in headerOf.
  it.each<[unknown, string]>([
    [{ alg: 'none' }, 'algorithm not allowed'],
    [{ alg: 'None' }, 'algorithm not allowed'],
    [{ alg: '' }, 'algorithm not allowed'],
    [{}, 'algorithm not allowed'],
    [{ alg: ['RS256'] }, 'algorithm not allowed'],
    [{ alg: 'HS256' }, 'algorithm not allowed'],
    [{ alg: 'rs256' }, 'algorithm not allowed'],
    [{ alg: 'ES256K' }, 'algorithm not allowed'],
    [{ alg: 'RSA-OAEP' }, 'algorithm not allowed'],
    [{ alg: 'ES256', crit: ['x'], x: 1 }, 'header crit not allowed'],
    [{ alg: 'ES256', crit: [] }, 'header crit not allowed'],
    [{ alg: 'ES256', crit: null }, 'header crit not allowed'],
    [{ alg: 'ES256', b64: false }, 'header b64 not allowed'],
    [{ alg: 'ES256', jwk: { kty: 'EC' } }, 'header jwk not allowed'],
    [{ alg: 'ES256', jku: 'https://evil.example/jwks' }, 'header jku not allowed'],
    [{ alg: 'ES256', x5u: 'https://evil.example/cert' }, 'header x5u not allowed'],
    [{ alg: 'ES256', x5c: ['MII'] }, 'header x5c not allowed'],
    [{ alg: 'ES256', enc: 'A128GCM' }, 'header enc not allowed'],
    [{ alg: 'ES256', zip: 'DEF' }, 'header zip not allowed'],
    [{ alg: 'ES256', cty: 'JWT' }, 'header cty not allowed'],
    [{ alg: 'ES256', typ: 'at+jwt' }, 'type not allowed'],
    [{ alg: 'ES256', typ: 'logout+jwt' }, 'type not allowed'],
    [{ alg: 'ES256', typ: 'dpop+jwt' }, 'type not allowed'],
    [{ alg: 'ES256', typ: ['JWT'] }, 'type not allowed'],
    [{ alg: 'ES256', typ: null }, 'type not allowed'],
    [{ alg: 'ES256', kid: '' }, 'key id malformed'],
    [{ alg: 'ES256', kid: 7 }, 'key id malformed'],
    [{ alg: 'ES256', kid: 'a\u0000b' }, 'key id malformed'],
    [{ alg: 'ES256', kid: '../../etc/passwd\n' }, 'key id malformed'],
    [{ alg: 'ES256', kid: 'k'.repeat(257) }, 'key id malformed'],
  ])('with the header %j is refused: %s', (header, reason) => expect(reasonOf(spelled(header))).toBe(reason))

  const good = spelled({ alg: 'ES256' })
  it.each([
    '', '.', '..', good.slice(0, good.lastIndexOf('.')), `${good}.`, `${good}.${SIGNATURE}`, ` ${good}`, `${good}\n`, `${good}=`, good.replace('.', '. '), `${good}${'.'.repeat(5_000)}`,
    spelled({ alg: 'ES256' }, { padding: 'x'.repeat(8_192) }), 'a.b.c',
    spelled('[]'), spelled('null'), spelled('"text"'), spelled('{"alg":"ES256"'), spelled({ alg: 'ES256' }, '[]'), spelled({ alg: 'ES256' }, '1'), spelled({ alg: 'ES256' }, ''),
    // Which of two members counts is a matter of who reads.
    spelled('{"alg":"ES256","alg":"none"}'), spelled({ alg: 'ES256' }, '{"sub":"a","sub":"b"}'), spelled({ alg: 'ES256' }, '{"sub":"a","s\\u0075b":"b"}'), spelled({ alg: 'ES256' }, '{"a":[{"b":1,"b" : 2}]}'),
    spelled({ alg: 'ES256' }, '{"a":'.repeat(17) + '1' + '}'.repeat(17)), spelled({ alg: 'ES256' }, `\ufeff{"sub":"a"}`), spelled({ alg: 'ES256' }, '{"sub":"a",}'), spelled({ alg: 'ES256' }, "{'sub':'a'}"),
    `${segment('{"alg":"ES256"}')}.${Buffer.from('{"sub":"\u00ff"}', 'latin1').toString('base64url')}.${SIGNATURE}`,
  ])('is none: %j', (text) => expect(reasonOf(text)).toBe('malformed'))

  it('holds names that mean something to JavaScript as names', () => {
    const { claims } = assertionFrom(spelled({ alg: 'ES256' }, '{"__proto__":{"sub":"admin"},"constructor":1,"a":{"x":1},"b":{"x":2},"c":"a:\\"b\\":{"}'))
    expect(Object.keys(claims)).toEqual(['__proto__', 'constructor', 'a', 'b', 'c'])
    expect(claims['sub']).toBeUndefined()
  })
})
