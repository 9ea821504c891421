import { isCanonicalBase64Url } from '../domain/base64url.js'

// The one spelling of an access token. Signatures forgive: spaces, padding, the unused bits of the last character, and for
// ECDSA the second signature (r, n - s) all verify. So a token is first held to its one spelling, and nothing is ever keyed
// by its text.

const MAX_LENGTH = 2048
const SIGNATURE_BYTES = 64
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const bytesOf = (s: bigint): Buffer => Buffer.from(s.toString(16).padStart(64, '0'), 'hex')
const HALF_ORDER = bytesOf(ORDER >> 1n)

export type Segments = { readonly header: string; readonly payload: string }

/** The header and payload of a token in its one spelling, or undefined. */
export function canonicalSegments(text: string): Segments | undefined {
  const [header, payload, signature, ...more] = text.length <= MAX_LENGTH ? text.split('.', 4) : []
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) return undefined
  if (![header, payload, signature].every(isCanonicalBase64Url)) return undefined
  const bytes = Buffer.from(signature, 'base64url')
  return bytes.length === SIGNATURE_BYTES && isLow(sOf(bytes)) ? { header, payload } : undefined
}

const sOf = (signature: Buffer): Buffer => signature.subarray(32)

const isLow = (s: Buffer): boolean => s.compare(HALF_ORDER) <= 0

/** Of the two signatures that verify, (r, s) and (r, n - s), the one with the smaller s. */
export function lowS(signature: Buffer): Buffer {
  const s = sOf(signature)
  return isLow(s) ? signature : Buffer.concat([signature.subarray(0, 32), bytesOf(ORDER - BigInt(`0x${s.toString('hex')}`))])
}
