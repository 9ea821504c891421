import { createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { type Algorithm, ALGORITHMS } from '../../domain/assertion.js'
import { isRocaModulus } from '../../domain/weak-rsa.js'

/** A key that an issuer signs with, and what it may be used for. */
export type PublicKey = { readonly keyId: string | undefined; readonly algorithms: readonly Algorithm[]; readonly key: KeyObject }

const MAX_KEYS = 100
const MAX_TEXT_LENGTH = 8_192
const MIN_RSA_BITS = 2_048
const MAX_RSA_BITS = 8_192
const MIN_EXPONENT = 65_537n

const keySet = z.object({ keys: z.array(z.unknown()).max(MAX_KEYS) })

const named = { kid: z.string().min(1).max(256).optional(), alg: z.string().optional(), use: z.literal('sig').optional(), key_ops: z.array(z.string()).refine((operations) => operations.includes('verify')).optional() }
const jwk = z.discriminatedUnion('kty', [
  z.looseObject({ ...named, kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.looseObject({ ...named, kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384', 'P-521']), x: z.string(), y: z.string() }),
  z.looseObject({ ...named, kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
])

type Jwk = z.output<typeof jwk>

/** What a key that was published by mistake would have beside its public part, or a shared one alone. */
const PRIVATE_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const BY_CURVE: Record<'P-256' | 'P-384' | 'P-521', Algorithm> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }

/** The keys of a JSON Web Key Set that a signature may be verified with; undefined where it is no set. The others are as if they were not there. */
export function publicKeysFrom(json: unknown): readonly PublicKey[] | undefined {
  const set = keySet.safeParse(json)
  if (!set.success) return undefined
  const keys = set.data.keys.flatMap((key) => publicKeyFrom(key) ?? [])
  // Of two keys with one name nobody knows which is meant.
  const names = keys.map(({ keyId }) => keyId)
  return keys.filter(({ keyId }) => keyId === undefined || names.indexOf(keyId) === names.lastIndexOf(keyId))
}

/** A key from its JWK; undefined where it is too weak, not for signatures, or not public. */
export function publicKeyFrom(json: unknown): PublicKey | undefined {
  const parsed = jwk.safeParse(json)
  if (!parsed.success || PRIVATE_PARTS.some((part) => part in parsed.data)) return undefined
  const key = keyObjectOf(parsed.data)
  const algorithms = key && algorithmsOf(parsed.data).filter((algorithm) => parsed.data.alg === undefined || parsed.data.alg === algorithm)
  return key && algorithms && algorithms.length > 0 && isStrong(parsed.data) ? { keyId: parsed.data.kid, algorithms, key } : undefined
}

/** A key from SubjectPublicKeyInfo in PEM. */
export function publicKeyFromPem(text: string): PublicKey | undefined {
  // A private key, or a certificate, would be read too.
  if (!/^-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*$/.test(text)) return undefined
  try {
    return publicKeyFrom(createPublicKey(text).export({ format: 'jwk' }))
  } catch {
    return undefined
  }
}

/** A key from either. */
export function publicKeyFromText(text: string): PublicKey | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  if (!text.trimStart().startsWith('{')) return publicKeyFromPem(text)
  try {
    return publicKeyFrom(JSON.parse(text))
  } catch {
    return undefined
  }
}

function keyObjectOf(given: Jwk): KeyObject | undefined {
  const { kty } = given
  const key = kty === 'RSA' ? { kty, n: given.n, e: given.e } : kty === 'EC' ? { kty, crv: given.crv, x: given.x, y: given.y } : { kty, crv: given.crv, x: given.x }
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}

function algorithmsOf(key: Jwk): readonly Algorithm[] {
  if (key.kty === 'RSA') return ALGORITHMS.filter((algorithm) => /^[RP]S/.test(algorithm))
  return [key.kty === 'EC' ? BY_CURVE[key.crv] : 'EdDSA']
}

function isStrong(key: Jwk): boolean {
  if (key.kty !== 'RSA') return true
  const [modulus, exponent] = [integer(key.n), integer(key.e)]
  const bits = modulus.toString(2).length
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS && exponent >= MIN_EXPONENT && exponent < 2n ** 256n && exponent % 2n === 1n && !isRocaModulus(modulus)
}

const integer = (text: string): bigint => BigInt(`0x0${Buffer.from(text, 'base64url').toString('hex')}`)
