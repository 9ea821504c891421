import { bodyOf, checksumOf } from './credential-text.js'

/** One secret of a Universal Auth method, without what it is verified with. */
export type ClientSecret = {
  readonly organizationId: string
  readonly id: string
  readonly identityId: string
  readonly description: string
  /** Null: any number of logins. */
  readonly useLimit: number | null
  readonly uses: number
  /** Null: never. */
  readonly expireTime: Date | null
  /** From where it may be used, within what the method trusts. Null: all that the method trusts. */
  readonly trustedIps: readonly string[] | null
  readonly lastUsedTime: Date | null
  /** Null also where the address was not known. */
  readonly lastUsedAddress: string | null
  readonly revokeTime: Date | null
  /** What was made in its place. Null: it was not rotated. */
  readonly successorId: string | null
  /** A fresh value voids every token that the secret obtained. */
  readonly epoch: string
  readonly createTime: Date
}

/** What a secret that nobody has used has, and no end, unless it is given one. */
export const UNUSED = { useLimit: null, uses: 0, expireTime: null, trustedIps: null, lastUsedTime: null, lastUsedAddress: null, revokeTime: null, successorId: null } as const

// `csk_<id, 32 hex>_<body, 43 base62><checksum, 6 base62>`.
const TEXT = /^csk_([0-9a-f]{32})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/

/** The text of a secret: what its holder is shown, once. `random` is 32 bytes that nobody else will ever see. */
export function secretText(id: string, random: Buffer): string {
  const checked = `csk_${id.replaceAll('-', '')}_${bodyOf(random)}`
  return checked + checksumOf(checked)
}

/** The id that a secret's text carries, or undefined where the text is none of ours. */
export function secretIdOf(text: string): string | undefined {
  const [, hex, body, sum] = TEXT.exec(text) ?? []
  if (hex === undefined || checksumOf(`csk_${hex}_${body}`) !== sum) return undefined
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** What a secret that was read earlier was read with, and what no epoch tells of when it changes. */
export type Remembered = {
  /** Of the method, with all its settings. */
  readonly methodEtag: string
  /** The key that signed. */
  readonly signingKid: string | null
}

export type Unusable = 'revoked' | 'expired' | 'spent'

/** Why a secret can't log in, or undefined where it can. Whoever tries is told nothing of it. */
export function unusable(secret: ClientSecret, now: Date): Unusable | undefined {
  if (secret.revokeTime) return 'revoked'
  if (secret.expireTime && secret.expireTime <= now) return 'expired'
  return secret.useLimit !== null && secret.uses >= secret.useLimit ? 'spent' : undefined
}

/** A rotated secret ends with the overlap, or before as it was to. */
export function endOfOverlap({ expireTime }: ClientSecret, now: Date, overlapSeconds: number): Date {
  const end = new Date(now.getTime() + overlapSeconds * 1000)
  return expireTime && expireTime < end ? expireTime : end
}

/** What a successor has of the secret that it replaces: description, limits and addresses, all of them anew. */
export function succeeding({ organizationId, identityId, description, useLimit, expireTime, createTime, trustedIps }: ClientSecret, now: Date) {
  const lifeMillis = expireTime && expireTime.getTime() - createTime.getTime()
  return { organizationId, identityId, description, ...UNUSED, useLimit, trustedIps, expireTime: lifeMillis === null ? null : new Date(now.getTime() + lifeMillis) }
}
