import { crc32 } from 'node:zlib'

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
  /** A fresh value voids every token that the secret obtained. */
  readonly epoch: string
  readonly createTime: Date
}

/** What a secret that nobody has used has, and no end, unless it is given one. */
export const UNUSED = { useLimit: null, uses: 0, expireTime: null, trustedIps: null, lastUsedTime: null, lastUsedAddress: null, revokeTime: null } as const

// `csk_<id, 32 hex>_<body, 43 base62><checksum, 6 base62>`. The prefix and the checksum let scanners find a leaked secret
// and let us drop garbage without a look-up; neither proves anything.
const TEXT = /^csk_([0-9a-f]{32})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The text of a secret: what its holder is shown, once. `random` is 32 bytes that nobody else will ever see. */
export function secretText(id: string, random: Buffer): string {
  const body = base62(BigInt(`0x${random.toString('hex')}`), 43)
  const checked = `csk_${id.replaceAll('-', '')}_${body}`
  return checked + checksum(checked)
}

/** The id that a secret's text carries, or undefined where the text is none of ours. */
export function secretIdOf(text: string): string | undefined {
  const [, hex, body, sum] = TEXT.exec(text) ?? []
  if (hex === undefined || checksum(`csk_${hex}_${body}`) !== sum) return undefined
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

const checksum = (text: string): string => base62(BigInt(crc32(text)), 6)

function base62(value: bigint, length: number): string {
  let rest = value
  let text = ''
  for (let place = 0; place < length; place += 1) {
    text = (DIGITS[Number(rest % 62n)] ?? '') + text
    rest /= 62n
  }
  return text
}

/** Why a secret that was proven can't log in, or undefined where it can. For the log; the caller is told nothing of it. */
export function unusable(secret: ClientSecret, now: Date): 'revoked' | 'expired' | 'spent' | undefined {
  if (secret.revokeTime) return 'revoked'
  if (secret.expireTime && secret.expireTime <= now) return 'expired'
  return secret.useLimit !== null && secret.uses >= secret.useLimit ? 'spent' : undefined
}
