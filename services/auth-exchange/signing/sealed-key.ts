import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** Encrypts signing keys at rest. It is outside the database. */
export type KeyEncryptionKey = { readonly id: string; readonly key: Buffer }

/** The first encrypts; both decrypt. */
export type KeyEncryptionKeys = readonly [KeyEncryptionKey, ...KeyEncryptionKey[]]

// Its id is made of the key: no two keys have one, and no key has two.
export const keyEncryptionKey = (key: Buffer): KeyEncryptionKey => ({ id: createHash('sha256').update(key).digest('hex').slice(0, 16), key })

const BASE64 = /^[A-Za-z0-9+/]{43}=$/

/** `KEY`, or `KEY,KEY`; undefined for anything else. */
export function keyEncryptionKeysFrom(text: string): KeyEncryptionKeys | undefined {
  const texts = text.split(',')
  const [current, other, ...more] = texts.map((one) => keyEncryptionKey(Buffer.from(one, 'base64')))
  if (!current || more.length > 0 || current.id === other?.id || !texts.every((one) => BASE64.test(one))) return undefined
  return other ? [current, other] : [current]
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM: initialization vector, tag, ciphertext. The kid is associated data: a sealed key moved to another kid is refused. */
export function seal({ key }: KeyEncryptionKey, kid: string, plain: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(kid))
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), text])
}

export function unseal({ key }: KeyEncryptionKey, kid: string, sealed: Buffer): Buffer {
  const iv = sealed.subarray(0, IV_BYTES)
  const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(kid)).setAuthTag(tag)
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
}
