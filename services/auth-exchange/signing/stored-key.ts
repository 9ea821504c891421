import { createPrivateKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK } from 'jose'
import { z } from 'zod'
import type { PublicJwk } from '../store/schema.js'
import type { NewKey, ResealedKey, StoredKey } from '../store/signing-keys.js'
import { type KeyEncryptionKey, type KeyEncryptionKeys, seal, unseal } from './sealed-key.js'

/** `headerSegment`: what every token that the key signs begins with. */
export type VerificationKey = { readonly kid: string; readonly headerSegment: string; readonly jwk: PublicJwk; readonly key: CryptoKey }
export type SigningKey = { readonly kid: string; readonly headerSegment: string; readonly key: KeyObject }

export class KeyUnreadable extends Error {
  override readonly name = 'KeyUnreadable'
}

const publicJwkSchema = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() })
const privateJwkSchema = publicJwkSchema.extend({ d: z.string() })

const headerSegmentOf = (kid: string): string => Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid })).toString('base64url')

export type Kept = { readonly state: 'prepared' | 'active'; readonly createTime: Date; readonly activateTime: Date }

export async function newKey([encryption]: KeyEncryptionKeys, kept: Kept): Promise<NewKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = publicJwkSchema.parse(await exportJWK(publicKey))
  const kid = await calculateJwkThumbprint(publicJwk)
  const sealedPrivateKey = seal(encryption, kid, Buffer.from(JSON.stringify(await exportJWK(privateKey))))
  return { kid, ...kept, retireTime: null, publicJwk: JSON.stringify(publicJwk), sealedPrivateKey, keyEncryptionKeyId: encryption.id }
}

export async function verificationKey({ kid, publicJwk }: StoredKey): Promise<VerificationKey> {
  const key = await importJWK(publicJwk, 'ES256')
  if (key instanceof Uint8Array) throw new Error('an ES256 key is no octet sequence')
  return { kid, headerSegment: headerSegmentOf(kid), jwk: publicJwk, key }
}

export function signingKey(stored: StoredKey, encryptions: KeyEncryptionKeys): SigningKey {
  const key = privateJwkSchema.parse(JSON.parse(plainOf(stored, encryptions).toString()))
  return { kid: stored.kid, headerSegment: headerSegmentOf(stored.kid), key: createPrivateKey({ key, format: 'jwk' }) }
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
