import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { z } from 'zod'
import type { PublicJwk } from '../store/schema.js'
import type { NewKey, ResealedKey, StoredKey } from '../store/signing-keys.js'
import { type KeyEncryptionKey, type KeyEncryptionKeys, seal, unseal } from './sealed-key.js'

/** The header of every token that a key signs, and its one encoding. */
export type Header = { readonly alg: 'ES256'; readonly typ: 'at+jwt'; readonly kid: string }

export type VerificationKey = { readonly kid: string; readonly header: Header; readonly jwk: PublicJwk; readonly key: CryptoKey }
export type SigningKey = { readonly header: Header; readonly key: CryptoKey }

export class KeyUnreadable extends Error {
  override readonly name = 'KeyUnreadable'
}

const publicJwkSchema = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() })
const privateJwkSchema = publicJwkSchema.extend({ d: z.string() })

const headerOf = (kid: string): Header => ({ alg: 'ES256', typ: 'at+jwt', kid })

export const headerSegment = (header: Header): string => Buffer.from(JSON.stringify(header)).toString('base64url')

export type Kept = { readonly state: 'prepared' | 'active'; readonly createTime: Date; readonly activateTime: Date }

export async function newKey([encryption]: KeyEncryptionKeys, kept: Kept): Promise<NewKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = publicJwkSchema.parse(await exportJWK(publicKey))
  const kid = await calculateJwkThumbprint(publicJwk)
  const sealedPrivateKey = seal(encryption, kid, Buffer.from(JSON.stringify(await exportJWK(privateKey))))
  return { kid, ...kept, retireTime: null, publicJwk: JSON.stringify(publicJwk), sealedPrivateKey, keyEncryptionKeyId: encryption.id }
}

export async function verificationKey({ kid, publicJwk }: StoredKey): Promise<VerificationKey> {
  return { kid, header: headerOf(kid), jwk: publicJwk, key: await cryptoKey(publicJwk) }
}

export async function signingKey(stored: StoredKey, encryptions: KeyEncryptionKeys): Promise<SigningKey> {
  const jwk = privateJwkSchema.parse(JSON.parse(plainOf(stored, encryptions).toString()))
  return { header: headerOf(stored.kid), key: await cryptoKey(jwk) }
}

/** The key under the encryption that is used now; undefined where it is under that one already. */
export function resealed(stored: StoredKey, encryptions: KeyEncryptionKeys): ResealedKey | undefined {
  const [current] = encryptions
  if (!stored.sealedPrivateKey || stored.keyEncryptionKeyId === current.id) return undefined
  return { kid: stored.kid, sealedPrivateKey: seal(current, stored.kid, plainOf(stored, encryptions)), keyEncryptionKeyId: current.id }
}

function plainOf({ kid, sealedPrivateKey, keyEncryptionKeyId }: StoredKey, encryptions: readonly KeyEncryptionKey[]): Buffer {
  if (!sealedPrivateKey) throw new KeyUnreadable(`The signing key ${kid} is retired: its private half is gone.`)
  const encryption = encryptions.find(({ id }) => id === keyEncryptionKeyId)
  if (!encryption) {
    const known = encryptions.map(({ id }) => id).join(' and ')
    throw new KeyUnreadable(`The signing key ${kid} was encrypted under another KEY_ENCRYPTION_KEY: its id is ${keyEncryptionKeyId}, and configured is ${known}. Configure that one too, behind a comma.`)
  }
  return unseal(encryption, kid, sealedPrivateKey)
}

async function cryptoKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'ES256')
  if (key instanceof Uint8Array) throw new Error('an ES256 key is no octet sequence')
  return key
}
