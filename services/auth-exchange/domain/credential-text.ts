import { crc32 } from 'node:zlib'

// What texts of credentials have in common: a body of random bytes and a checksum, both in base62. The prefix and the checksum
// let scanners find one that leaked, and let us drop garbage without a look-up; neither proves anything.

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A body of 43 characters from 32 bytes that nobody else will ever see. */
export const bodyOf = (random: Buffer): string => base62(BigInt(`0x${random.toString('hex')}`), 43)

/** The 6 characters that end a credential which is this text without them. */
export const checksumOf = (text: string): string => base62(BigInt(crc32(text)), 6)

function base62(value: bigint, length: number): string {
  let rest = value
  let text = ''
  for (let place = 0; place < length; place += 1) {
    text = (DIGITS[Number(rest % 62n)] ?? '') + text
    rest /= 62n
  }
  return text
}
