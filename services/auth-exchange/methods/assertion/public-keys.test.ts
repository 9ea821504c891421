import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isRocaModulus } from '../../domain/weak-rsa.js'
import { publicKeyFrom, publicKeyFromPem, publicKeysFrom } from './public-keys.js'

const rsa = (modulusLength = 2048, publicExponent = 65_537) => generateKeyPairSync('rsa', { modulusLength, publicExponent })
const strong = rsa()
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwkOf = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more })
const pemOf = (key: KeyObject, type: 'spki' | 'pkcs8' | 'pkcs1' = 'spki') => String(key.export({ format: 'pem', type }))
const base64url = (value: bigint) => Buffer.from(value.toString(16).padStart(512, '0'), 'hex').toString('base64url')

// A modulus of the form that the faulty library's have, though of unknown factors.
const PRIMES = [11n, 13n, 17n, 19n, 37n, 53n, 61n, 71n, 73n, 79n, 97n, 103n, 107n, 109n, 127n, 151n, 157n]
const PRODUCT = PRIMES.reduce((product, prime) => product * prime)
const near = 2n ** 2047n - (2n ** 2047n % PRODUCT) + PRODUCT + (65_537n ** 5n % PRODUCT)
const roca = near % 2n === 1n ? near : near + PRODUCT

describe('a key of an issuer', () => {
  it.each([
    ['RSA', strong.publicKey, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['P-256', curve.publicKey, ['ES256']],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey, ['ES384']],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey, ['ES512']],
    ['Ed25519', generateKeyPairSync('ed25519').publicKey, ['EdDSA']],
  ])('of %s verifies what is made for it', (_name, key, algorithms) => {
    expect(publicKeyFrom(jwkOf(key, { kid: 'one', use: 'sig' }))).toMatchObject({ keyId: 'one', algorithms })
    expect(publicKeyFromPem(pemOf(key))).toMatchObject({ keyId: undefined, algorithms })
  })

  it('verifies only the algorithm that it names', () => {
    expect(publicKeyFrom(jwkOf(strong.publicKey, { alg: 'PS256' }))?.algorithms).toEqual(['PS256'])
    expect(publicKeyFrom(jwkOf(curve.publicKey, { alg: 'ES384' }))).toBeUndefined()
  })

  // Attack 80 of facts/authentication.md. Each row was seen to fail without its line.
  it.each([
    ['RSA of 1024 bits', jwkOf(rsa(1024).publicKey)],
    ['RSA with the exponent 3', jwkOf(rsa(2048, 3).publicKey)],
    ['RSA with the exponent 1', jwkOf(strong.publicKey, { e: 'AQ' })],
    ['RSA with an even exponent', jwkOf(strong.publicKey, { e: 'AQAC' })],
    ['RSA of 16384 bits', jwkOf(strong.publicKey, { n: Buffer.alloc(2048, 0xff).toString('base64url') })],
    ['RSA of the faulty library', jwkOf(strong.publicKey, { n: base64url(roca) })],
    ['RSA with its private part', jwkOf(strong.privateKey)],
    ['EC with its private part', jwkOf(curve.privateKey)],
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a shared secret that calls itself public', jwkOf(curve.publicKey, { k: 'c2VjcmV0' })],
    ['one for encryption', jwkOf(strong.publicKey, { use: 'enc' })],
    ['one for encryption by its algorithm', jwkOf(strong.publicKey, { alg: 'RSA-OAEP' })],
    ['one that may only sign', jwkOf(strong.publicKey, { key_ops: ['sign'] })],
    ['one of an algorithm that takes none', jwkOf(strong.publicKey, { alg: 'none' })],
    ['RSA for HS256', jwkOf(strong.publicKey, { alg: 'HS256' })],
    ['a point that is not on its curve', jwkOf(curve.publicKey, { x: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE' })],
    ['another curve', { ...jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) }],
    ['a key for agreement', jwkOf(generateKeyPairSync('x25519').publicKey)],
    ['nothing', {}], ['no object', 'key'], ['null', null],
  ])('is not there where it is %s', (_name, jwk) => expect(publicKeyFrom(jwk)).toBeUndefined())

  it.each([
    ['a private key', pemOf(strong.privateKey, 'pkcs8')],
    ['a key of another form', pemOf(strong.publicKey, 'pkcs1')],
    ['RSA of 1024 bits', pemOf(rsa(1024).publicKey)],
    ['a private key behind a public one', pemOf(curve.publicKey) + pemOf(curve.privateKey, 'pkcs8')],
    ['no PEM', 'key'],
    ['a broken one', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'],
  ])('is not there where its PEM is %s', (_name, pem) => expect(publicKeyFromPem(pem)).toBeUndefined())
})

describe('a set of keys', () => {
  it('leaves out what is no good, and both of two with one name', () => {
    const keys = [
      jwkOf(strong.publicKey, { kid: 'a' }), jwkOf(curve.publicKey, { kid: 'b' }), jwkOf(rsa().publicKey, { kid: 'a' }), jwkOf(rsa(1024).publicKey, { kid: 'c' }),
      { kty: 'oct', k: 'c2VjcmV0', kid: 'd' }, jwkOf(curve.publicKey), jwkOf(strong.publicKey),
    ]
    expect(publicKeysFrom({ keys })?.map(({ keyId }) => keyId)).toEqual(['b', undefined, undefined])
  })

  it.each([[null], [[]], [{}], [{ keys: {} }], [{ keys: Array.from({ length: 101 }, () => ({})) }]])('is none: %j', (json) => expect(publicKeysFrom(json)).toBeUndefined())
})

it('hardly ever takes a good key for one of the faulty library', () => {
  expect(isRocaModulus(roca)).toBe(true)
  for (let odd = 2n ** 2047n + 1n; odd < 2n ** 2047n + 20_000n; odd += 2n) expect(isRocaModulus(odd)).toBe(false)
})
