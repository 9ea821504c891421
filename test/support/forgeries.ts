import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { claimsOf, partsOf, type RealKey, segmentOf, signed, textOf } from './forged-tokens.js'

// Tokens that somebody made who has a live token and the public keys, or even the signing key itself.

export type Forger = {
  readonly real: RealKey
  readonly own: { readonly key: KeyObject; readonly publicJwk: Record<string, unknown>; readonly kid: string }
  /** Where a key of the forger's can be had. */
  readonly keysUrl: string
}

export async function newForger(real: RealKey, keysUrl: string): Promise<Forger> {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicJwk = { ...publicKey.export({ format: 'jwk' }) }
  return { real, keysUrl, own: { key, publicJwk, kid: await calculateJwkThumbprint(publicJwk) } }
}

type Forgery = (token: string, forger: Forger) => string

const headerOf = (token: string): Record<string, unknown> => ({ ...JSON.parse(textOf(partsOf(token).header)) })
const withHeader = (token: string, header: object): string => `${segmentOf(JSON.stringify(header))}.${partsOf(token).payload}`

const unsigned = (alg: string): Forgery => (token) => `${withHeader(token, { ...headerOf(token), alg })}.`

/** HMAC with what everybody knows as its key. */
const hmac = (keyOf: (forger: Forger) => string | Buffer): Forgery => (token, forger) => {
  const input = withHeader(token, { ...headerOf(token), alg: 'HS256' })
  return `${input}.${createHmac('sha256', keyOf(forger)).update(input).digest('base64url')}`
}

const pemOf = ({ real }: Forger): string => {
  const base64 = Buffer.concat([
    Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex'),
    Buffer.from(real.publicJwk.x, 'base64url'),
    Buffer.from(real.publicJwk.y, 'base64url'),
  ]).toString('base64')
  return `-----BEGIN PUBLIC KEY-----\n${base64.replace(/(.{64})/g, '$1\n')}\n-----END PUBLIC KEY-----\n`
}

/** Signed with a key of the forger's, which the header recommends. */
const recommending = (change: (forger: Forger) => object): Forgery => (token, forger) =>
  signed(forger.own.key, JSON.stringify({ ...headerOf(token), ...change(forger) }), textOf(partsOf(token).payload))

/** Signed with the real key, under a header that this service never writes. */
const reheaded = (change: object): Forgery => (token, { real }) =>
  signed(real.key, JSON.stringify({ ...headerOf(token), ...change }), textOf(partsOf(token).payload))

const named = (kid: unknown): Forgery => recommending(() => ({ kid }))

export const HEADER_FORGERIES: readonly (readonly [string, Forgery])[] = [
  ['no signature, alg none', unsigned('none')],
  ['no signature, alg None', unsigned('None')],
  ['no signature, alg NONE', unsigned('NONE')],
  ['no signature, alg ES256', (token) => `${partsOf(token).header}.${partsOf(token).payload}.`],
  ['a signature of zeros', (token) => `${partsOf(token).header}.${partsOf(token).payload}.${Buffer.alloc(64).toString('base64url')}`],
  ['HS256 with the public JWK', hmac(({ real }) => JSON.stringify(real.publicJwk))],
  ['HS256 with the public key as PEM', hmac(pemOf)],
  ['HS256 with the public key as PEM behind a line break', hmac((forger) => `\n${pemOf(forger)}`)],
  ['HS256 with the point of the public key', hmac(({ real }) => Buffer.from(real.publicJwk.x + real.publicJwk.y, 'base64url'))],
  ['HS256 with the kid', hmac(({ real }) => real.kid)],
  ['HS256 with no key', hmac(() => '')],
  ['a key of its own, under the real kid', recommending(() => ({}))],
  ['a key of its own, under its own kid', recommending(({ own }) => ({ kid: own.kid }))],
  ['a key of its own in jwk', recommending(({ own }) => ({ jwk: own.publicJwk }))],
  ['a key of its own in jwk, without a kid', recommending(({ own }) => ({ jwk: own.publicJwk, kid: undefined }))],
  ['a key of its own at jku', recommending(({ own, keysUrl }) => ({ jku: keysUrl, kid: own.kid }))],
  ['a key of its own at x5u', recommending(({ keysUrl }) => ({ x5u: keysUrl }))],
  ['a key of its own in x5c', recommending(({ own }) => ({ x5c: [Buffer.from(JSON.stringify(own.publicJwk)).toString('base64')] }))],
  ['another algorithm', (token) => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const input = withHeader(token, { ...headerOf(token), alg: 'EdDSA' })
    return `${input}.${signBytes(null, Buffer.from(input), privateKey).toString('base64url')}`
  }],
  ['a kid that is a path', named('../../../../dev/null')],
  ['a kid that is SQL', named("' or true --")],
  ['a kid with NUL', named('a\0b')],
  ['a kid that every object has', named('__proto__')],
  ['a kid that is a number', named(0)],
  ['a kid that is a list', named([''])],
  ['an empty kid', named('')],
  ['a kid of 1500 characters', named('k'.repeat(1500))],
  ['the real key, without a kid', reheaded({ kid: undefined })],
  ['the real key, crit that names exp', reheaded({ crit: ['exp'] })],
  ['the real key, crit that names what nobody knows', reheaded({ crit: ['x-unknown'], 'x-unknown': 1 })],
  ['the real key, crit that is empty', reheaded({ crit: [] })],
  ['the real key, crit that names b64', reheaded({ crit: ['b64'], b64: true })],
  ['the real key, typ JWT', reheaded({ typ: 'JWT' })],
  ['the real key, without typ', reheaded({ typ: undefined })],
]

/** Claims by the real key, from the text of those that it signed. */
const claiming = (change: (text: string) => string): Forgery => (token, { real }) =>
  signed(real.key, textOf(partsOf(token).header), change(textOf(partsOf(token).payload)))

const claimed = (change: Readonly<Record<string, unknown>>): Forgery => claiming((text) => JSON.stringify({ ...JSON.parse(text), ...change }))

/** `"exp":…` as this text: JSON has numbers that no JSON.stringify writes. */
const withExp = (text: string): Forgery => claiming((claims) => claims.replace(/"exp":\d+/, `"exp":${text}`))

const later = (token: string, seconds: number): string => String(claimsOf(token).exp + seconds)

export const CLAIM_FORGERIES: readonly (readonly [string, Forgery])[] = [
  ['no exp', claimed({ exp: undefined })],
  ['exp null', withExp('null')],
  ['exp as text', (token, forger) => withExp(`"${later(token, 0)}"`)(token, forger)],
  ['exp with a fraction', (token, forger) => withExp(`${later(token, -1)}.5`)(token, forger)],
  ['exp 1e400', withExp('1e400')],
  ['exp beyond what is exact', withExp('9007199254740993')],
  ['exp -1', withExp('-1')],
  ['exp 0', withExp('0')],
  ['exp in a list', (token, forger) => withExp(`[${later(token, 0)}]`)(token, forger)],
  ['exp twice, the last one later', (token, forger) => withExp(`${later(token, 0)},"exp":${later(token, 1)}`)(token, forger)],
  ['exp later than what was issued', (token, forger) => withExp(later(token, 1))(token, forger)],
  ['no iat', claimed({ iat: undefined })],
  ['no iss', claimed({ iss: undefined })],
  ['another iss', claimed({ iss: 'countersign.example' })],
  ['iss with a slash after it', claimed({ iss: 'countersign/' })],
  ['no aud', claimed({ aud: undefined })],
  ['another aud', claimed({ aud: 'somebody-else' })],
  ['aud of nobody', claimed({ aud: [] })],
  ['no jti', claimed({ jti: undefined })],
  ['a jti that is no id', claimed({ jti: "' or true --" })],
  ['a jti in upper case', (token, forger) => claimed({ jti: claimsOf(token).jti.toUpperCase() })(token, forger)],
  ['no sub', claimed({ sub: undefined })],
  ['no org', claimed({ org: undefined })],
  ['no sid', claimed({ sid: undefined })],
  ['claims that are a list', claiming(() => '[]')],
  ['claims that are null', claiming(() => 'null')],
  ['claims that are no JSON', claiming((text) => `${text}}`)],
  ['claims nested four hundred deep, without exp', claiming((text) => text.replace(/,"exp":\d+/, `,"deep":${'['.repeat(400)}${']'.repeat(400)}`))],
]
