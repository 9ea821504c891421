import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { type AssertionRules } from '../../domain/assertion-rules.js'
import { Unproven } from '../../domain/unproven.js'
import { type PublicKey, publicKeyFrom } from './public-keys.js'
import { verifyAssertion } from './verify-assertion.js'

const NOW = new Date('2026-06-01T12:00:00Z')
const SECONDS = NOW.getTime() / 1000
const rules: AssertionRules = { issuer: 'https://issuer.example', audiences: ['countersign'], subject: 'job', claims: [], maxLifeSeconds: 3_600, mappedClaims: [{ name: 'team', path: 'team' }] }
const claims = { iss: rules.issuer, aud: 'countersign', sub: 'job', iat: SECONDS, exp: SECONDS + 300, team: 'blue' }

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const larger = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const edwards = generateKeyPairSync('ed25519')

const published = ({ publicKey }: { publicKey: KeyObject }, kid?: string): PublicKey => {
  const key = publicKeyFrom({ ...publicKey.export({ format: 'jwk' }), ...(kid !== undefined && { kid }) })
  if (!key) throw new Error('the key is no good')
  return key
}
const signed = ({ privateKey }: { privateKey: KeyObject }, alg: string, given: object = claims): Promise<string> => new SignJWT({ ...given }).setProtectedHeader({ alg, kid: 'k' }).sign(privateKey)

async function outcome(text: string, keys: readonly PublicKey[]): Promise<string> {
  try {
    return JSON.stringify([...(await verifyAssertion(text, { rules, clock: { now: () => NOW }, keys: () => Promise.resolve(keys) }))])
  } catch (error) {
    if (!(error instanceof Unproven)) throw error
    return error.reason
  }
}
const PROVEN = '[["team","blue"]]'

describe('an assertion', () => {
  it.each([['RS256', rsa], ['PS256', rsa], ['RS512', rsa], ['ES256', curve], ['ES384', larger], ['EdDSA', edwards]] as const)('signed with %s proves its claims', async (alg, pair) => {
    expect(await outcome(await signed(pair, alg), [published(pair)])).toBe(PROVEN)
  })

  it('may be signed by any of the keys that it could mean', async () => {
    const text = await signed(curve, 'ES256')
    const other = published(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    expect(await outcome(text, [published(rsa), other, published(curve)])).toBe(PROVEN)
    expect(await outcome(text, [published(rsa), other])).toBe('signature wrong')
  })

  // Attack 27 of facts/authentication.md. Seen to be taken with the algorithm of the header for a key of any kind, and HS256 among ALGORITHMS.
  it('is signed by a key of its algorithm', async () => {
    const pem = String(rsa.publicKey.export({ format: 'pem', type: 'spki' }))
    const [, payload = ''] = (await signed(rsa, 'RS256')).split('.')
    for (const secret of [pem, pem.trim(), ` ${pem}`]) {
      const input = `${Buffer.from('{"alg":"HS256","kid":"k"}').toString('base64url')}.${payload}`
      const forged = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      expect(await outcome(forged, [published(rsa)])).toBe('algorithm not allowed')
    }
    expect(await outcome(await signed(curve, 'ES256'), [published(rsa)])).toBe('algorithm of another key')
    expect(await outcome(await signed(curve, 'ES256'), [published(larger)])).toBe('algorithm of another key')
    expect(await outcome(await signed(rsa, 'PS256'), [publicKeyFrom({ ...rsa.publicKey.export({ format: 'jwk' }), alg: 'RS256' }) ?? published(curve)])).toBe('algorithm of another key')
  })

  // Attack 26: none of the other spellings that verify is taken.
  it('has one spelling', async () => {
    const text = await signed(rsa, 'RS256')
    for (const other of [`${text}=`, `${text} `, `${text}\n`, text.replace('.', '.\n'), `${text}==`, text.replace(/.$/, (last) => (last === 'A' ? 'B' : String.fromCharCode(last.charCodeAt(0) + 1)))]) {
      expect(await outcome(other, [published(rsa)]), JSON.stringify(other.slice(-4))).toMatch(/^malformed$|^signature wrong$/)
    }
  })

  it('proves nothing with a changed claim, or without a signature', async () => {
    const [header = '', , signature = ''] = (await signed(edwards, 'EdDSA')).split('.')
    const changed = Buffer.from(JSON.stringify({ ...claims, team: 'red' })).toString('base64url')
    expect(await outcome(`${header}.${changed}.${signature}`, [published(edwards)])).toBe('signature wrong')
    expect(await outcome(`${header}.${changed}.`, [published(edwards)])).toBe('malformed')
    expect(await outcome(`${header}.${changed}.AAAA`, [published(edwards)])).toBe('signature wrong')
  })

  it('of a key that nobody knows proves nothing', async () => expect(await outcome(await signed(rsa, 'RS256'), [])).toBe('key unknown'))

  // With the keys asked for first anybody could have us ask any issuer as often as they like.
  it('makes nobody ask for keys where its claims would prove nothing', async () => {
    const asked: (string | undefined)[] = []
    const keys = (keyId: string | undefined) => {
      asked.push(keyId)
      return Promise.resolve([published(rsa)])
    }
    const verify = async (given: object) => verifyAssertion(await signed(rsa, 'RS256', given), { rules, keys, clock: { now: () => NOW } })
    for (const wrong of [{ iss: 'https://evil.example' }, { aud: 'other' }, { sub: 'other' }, { exp: SECONDS - 1 }, { exp: SECONDS + 999_999 }]) await expect(verify({ ...claims, ...wrong })).rejects.toThrow(Unproven)
    expect(asked).toEqual([])
    await verify(claims)
    expect(asked).toEqual(['k'])
  })
})
