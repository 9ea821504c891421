import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { z } from 'zod'
import { type Clock, monotonicMillis } from '#libs/clock.js'
import type { Db, PublicJwk } from '../store/schema.js'
import { insertFirstKey, listKeys, type StoredKey } from '../store/signing-keys.js'
import { type KeyEncryptionKey, seal, unseal } from './sealed-key.js'

/** The header of every token that this key signs, and its one encoding. */
export type Header = { readonly alg: 'ES256'; readonly typ: 'at+jwt'; readonly kid: string }

export type VerificationKey = { readonly kid: string; readonly header: Header; readonly jwk: PublicJwk; readonly key: CryptoKey }
export type SigningKey = { readonly header: Header; readonly key: CryptoKey }

export type Keyring = {
  /** Makes the first key of an installation if there is none, and loads all. */
  open(): Promise<void>
  signing(): SigningKey
  /** Of the key that signs; nothing before the keys are loaded. */
  createTime(): Date | undefined
  verification(): readonly VerificationKey[]
  /** The key whose tokens begin with this header segment. An unknown one reloads the keys, at most once a second. */
  byHeaderSegment(segment: string): Promise<VerificationKey | undefined>
}

const RELOAD_EVERY_MILLIS = 1_000

export class KeyUnreadable extends Error {
  override readonly name = 'KeyUnreadable'
}

export const headerSegment = (header: Header): string => Buffer.from(JSON.stringify(header)).toString('base64url')

export function keyring({ db, clock, encryption }: { db: Db; clock: Clock; encryption: KeyEncryptionKey }): Keyring {
  let signing: SigningKey | undefined
  let createTime: Date | undefined
  let verification = new Map<string, VerificationKey>()
  let loadedMillis = -Infinity
  const load = async () => {
    const stored = await listKeys(db)
    const loaded = await Promise.all(stored.map(verificationKey))
    verification = new Map(loaded.map((key) => [headerSegment(key.header), key]))
    const active = stored.find(({ state }) => state === 'active')
    signing = active && (await signingKey(active, encryption))
    createTime = active?.createTime
    loadedMillis = monotonicMillis()
  }
  return {
    open: async () => {
      await load()
      if (signing) return
      await insertFirstKey(db, await newKey(encryption, clock.now()))
      await load()
    },
    signing: () => {
      if (!signing) throw new Error('there is no active signing key')
      return signing
    },
    createTime: () => createTime,
    verification: () => [...verification.values()],
    byHeaderSegment: async (segment) => {
      const known = verification.get(segment)
      if (known || monotonicMillis() - loadedMillis < RELOAD_EVERY_MILLIS) return known
      await load()
      return verification.get(segment)
    },
  }
}

async function newKey(encryption: KeyEncryptionKey, createTime: Date) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = publicJwkSchema.parse(await exportJWK(publicKey))
  const kid = await calculateJwkThumbprint(publicJwk)
  const sealedPrivateKey = seal(encryption, kid, Buffer.from(JSON.stringify(await exportJWK(privateKey))))
  return { kid, state: 'active' as const, publicJwk: JSON.stringify(publicJwk), sealedPrivateKey, keyEncryptionKeyId: encryption.id, createTime }
}

const publicJwkSchema = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() })
const privateJwkSchema = publicJwkSchema.extend({ d: z.string() })

const headerOf = (kid: string): Header => ({ alg: 'ES256', typ: 'at+jwt', kid })

async function verificationKey({ kid, publicJwk }: StoredKey): Promise<VerificationKey> {
  return { kid, header: headerOf(kid), jwk: publicJwk, key: await cryptoKey(publicJwk) }
}

async function signingKey({ kid, sealedPrivateKey, keyEncryptionKeyId }: StoredKey, encryption: KeyEncryptionKey): Promise<SigningKey> {
  if (keyEncryptionKeyId !== encryption.id) {
    throw new KeyUnreadable(`The signing key ${kid} was encrypted under another KEY_ENCRYPTION_KEY (its id is ${keyEncryptionKeyId}): configure that one.`)
  }
  const jwk = privateJwkSchema.parse(JSON.parse(unseal(encryption, kid, sealedPrivateKey).toString()))
  return { header: headerOf(kid), key: await cryptoKey(jwk) }
}

async function cryptoKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'ES256')
  if (key instanceof Uint8Array) throw new Error('an ES256 key is no octet sequence')
  return key
}
