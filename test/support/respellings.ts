import { partsOf, textOf } from './forged-tokens.js'

/** The order of the group of P-256: where (r, s) verifies, (r, n - s) does. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

export function withOtherSignature(token: string): string {
  const { header, payload, signature } = partsOf(token)
  const bytes = Buffer.from(signature, 'base64url')
  const s = (ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`)).toString(16).padStart(64, '0')
  return `${header}.${payload}.${Buffer.concat([bytes.subarray(0, 32), Buffer.from(s, 'hex')]).toString('base64url')}`
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The segment with the lowest of the bits set that no byte is made of; as it was where there is no such bit. */
function withUnusedBit(segment: string): string {
  const last = segment.slice(-1)
  return segment.length % 4 === 0 ? segment : `${segment.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(last) ^ 1] ?? ''}`
}

type Part = 'header' | 'payload' | 'signature'

function changedPart(part: Part, change: (segment: string) => string): (token: string) => string {
  return (token) => {
    const parts = partsOf(token)
    parts[part] = change(parts[part])
    return `${parts.header}.${parts.payload}.${parts.signature}`
  }
}

const padded = (segment: string): string => segment.padEnd(Math.ceil(segment.length / 4) * 4, '=')

/** Spellings of a token that some decoder or other takes for the token itself. */
export const RESPELLINGS: readonly (readonly [string, (token: string) => string])[] = [
  ['a space before it', (token) => ` ${token}`],
  ['a space after it', (token) => `${token} `],
  ['a tab after it', (token) => `${token}\t`],
  ['a line break inside', (token) => `${token.slice(0, 64)}\n${token.slice(64)}`],
  ['a line break after it', (token) => `${token}\n`],
  ['a zero-width space after it', (token) => `${token}\u200b`],
  ['NUL after it', (token) => `${token}\0`],
  ['padding of its header', changedPart('header', padded)],
  ['padding of its payload', changedPart('payload', (segment) => `${padded(segment)}${segment.length % 4 === 0 ? '=' : ''}`)],
  ['padding of its signature', changedPart('signature', padded)],
  ['an unused bit of its header set', changedPart('header', withUnusedBit)],
  ['an unused bit of its payload set', changedPart('payload', withUnusedBit)],
  ['an unused bit of its signature set', changedPart('signature', withUnusedBit)],
  ['the other base64 alphabet', (token) => token.replaceAll('-', '+').replaceAll('_', '/')],
  ['the other signature (r, n - s)', withOtherSignature],
  ['a signature in ASN.1', changedPart('signature', (segment) => asn1(Buffer.from(segment, 'base64url')).toString('base64url'))],
  ['a dot after it', (token) => `${token}.`],
  ['a fourth segment', (token) => `${token}.e30`],
  ['escaped dots', (token) => token.replaceAll('.', '%2E')],
  ['full-width dots', (token) => token.replaceAll('.', '\uff0e')],
  ['its scheme before it', (token) => `Bearer ${token}`],
  ['quotes around it', (token) => `"${token}"`],
  ['its last character gone', (token) => token.slice(0, -1)],
  ['its first character gone', (token) => token.slice(1)],
  ['one character more', (token) => `${token}A`],
  ['four characters more', (token) => `${token}AAAA`],
]

function asn1(signature: Buffer): Buffer {
  const integer = (bytes: Buffer) => {
    const trimmed = Buffer.from(BigInt(`0x${bytes.toString('hex')}`).toString(16).padStart(64, '0'), 'hex')
    const value = (trimmed[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed
    return Buffer.concat([Buffer.of(2, value.length), value])
  }
  const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))])
  return Buffer.concat([Buffer.of(0x30, both.length), both])
}

/** Other texts of the header that mean the same; what is signed changes with them. */
export const HEADER_RESPELLINGS: readonly (readonly [string, (header: string) => string])[] = [
  ['spaces', (header) => header.replaceAll(':', ': ')],
  ['a line break', (header) => `${header}\n`],
  ['another order', (header) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(header)).reverse()))],
  ['an escaped character', (header) => header.replace('"alg"', '"\\u0061lg"')],
  ['a name twice', (header) => header.replace('{', '{"alg":"ES256",')],
  ['typ in upper case', (header) => header.replace('at+jwt', 'AT+JWT')],
  ['typ as a media type', (header) => header.replace('at+jwt', 'application/at+jwt')],
  ['alg in lower case', (header) => header.replace('ES256', 'es256')],
  ['a further member', (header) => header.replace('{', '{"cty":"JWT",')],
  ['a byte order mark', (header) => `\ufeff${header}`],
]

/** The header as it was signed. */
export const headerOf = (token: string): string => textOf(partsOf(token).header)
