import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import type { Report } from '#libs/domain-error.js'
import { integer } from '#libs/fields.js'
import { bodyOf, checksumOf } from './credential-text.js'
import { associatedData, type SecretOwner } from './secret-hash.js'

// A wrapped secret lies in the database encrypted with a key that is only in its wrapping token, until the token is shown.

/** A secret that waits for the holder of its wrapping token. */
export type WrappedSecret = {
  readonly organizationId: string
  readonly identityId: string
  readonly clientSecretId: string
  /** Of the wrapping token. */
  readonly digest: Buffer
  /** Null: erased, when it was unwrapped or the database was restored. */
  readonly sealedSecret: Buffer | null
  readonly createTime: Date
  readonly expireTime: Date
  readonly unwrapTime: Date | null
  /** How often the token was refused. */
  readonly refusals: number
}

/** What came of a wrapping token that was one of ours. */
export type UnwrapOutcome = 'unwrapped' | 'used' | 'expired' | 'revoked' | 'erased' | 'damaged'

const MAX_TTL_SECONDS = 86_400
const TEXT = /^csw_[0-9A-Za-z]{43}([0-9A-Za-z]{6})$/
const CHECKSUM_LENGTH = 6

/** Undefined for 0, which is no wrapping. */
export function wrapTtlFrom(seconds: number, report: Report): number | undefined {
  return integer(seconds, { min: 0, max: MAX_TTL_SECONDS }, report) === 0 ? undefined : seconds
}

/** The text of a wrapping token. `random` is 32 bytes that nobody else will ever see. */
export function wrappingText(random: Buffer): string {
  const checked = `csw_${bodyOf(random)}`
  return checked + checksumOf(checked)
}

export const isWrappingText = (text: string): boolean => TEXT.exec(text)?.[1] === checksumOf(text.slice(0, -CHECKSUM_LENGTH))

/** Without a pepper: of 32 random bytes nobody can guess any. */
export const wrappingDigest = (token: string): Buffer => createHash('sha256').update(token).digest()

// A key seals one text, ever, so that one initialization vector will do for all.
const IV = Buffer.alloc(12)
const TAG_BYTES = 16

const keyOf = (token: string, owner: SecretOwner): Buffer =>
  Buffer.from(hkdfSync('sha256', token, associatedData(owner), 'countersign wrapped client secret', 32))

/** AES-256-GCM: tag, ciphertext. The owner is part of the key, so that what was moved to another row can't be opened. */
export function sealSecret(token: string, owner: SecretOwner, secret: string): Buffer {
  const cipher = createCipheriv('aes-256-gcm', keyOf(token, owner), IV)
  const text = Buffer.concat([cipher.update(secret), cipher.final()])
  return Buffer.concat([cipher.getAuthTag(), text])
}

/** What the token of a wrapped secret gives now, and what is said of it in the audit. */
export function opened(token: string, wrapped: WrappedSecret & { readonly revokeTime: Date | null }, now: Date): Opened {
  const outcome = shut(wrapped, now)
  if (outcome !== undefined || wrapped.sealedSecret === null) return { outcome: outcome ?? 'erased', secret: undefined }
  const secret = unsealSecret(token, { ...wrapped, id: wrapped.clientSecretId }, wrapped.sealedSecret)
  return secret === undefined ? { outcome: 'damaged', secret } : { outcome: 'unwrapped', secret }
}

type Opened = { readonly outcome: UnwrapOutcome; readonly secret: string | undefined }

function shut({ unwrapTime, revokeTime, expireTime }: Pick<WrappedSecret, 'unwrapTime' | 'expireTime'> & { readonly revokeTime: Date | null }, now: Date): UnwrapOutcome | undefined {
  if (unwrapTime) return 'used'
  if (revokeTime) return 'revoked'
  return expireTime <= now ? 'expired' : undefined
}

/** Undefined where it is not what was sealed with this token for this owner. */
function unsealSecret(token: string, owner: SecretOwner, sealed: Buffer): string | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(token, owner), IV).setAuthTag(sealed.subarray(0, TAG_BYTES))
    return Buffer.concat([decipher.update(sealed.subarray(TAG_BYTES)), decipher.final()]).toString()
  } catch {
    return undefined
  }
}
