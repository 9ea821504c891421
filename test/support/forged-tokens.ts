import { createPrivateKey, type KeyObject, sign as signBytes } from 'node:crypto'
import { z } from 'zod'
import { withClient } from '../../deploy/local/service-databases.js'
import { keyEncryptionKey, unseal } from '../../services/auth-exchange/signing/sealed-key.js'
import { lowS } from '../../services/auth-exchange/signing/token-text.js'
import type { System } from './system.js'

// Tokens that auth-exchange did not issue, some of them signed with the very key that it signs with.

export type RealKey = { readonly kid: string; readonly key: KeyObject; readonly publicJwk: z.output<typeof publicJwk> }

const publicJwk = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() })
const privateJwk = publicJwk.extend({ d: z.string() })

/** The active signing key of a system, unsealed as only the service itself can. */
export async function realKeyOf({ databases, secrets }: System): Promise<RealKey> {
  const [row] = await withClient(databases.superuserUrl, async (client) => {
    const query = "select kid, sealed_private_key as sealed from exchange.signing_key where state = 'active'"
    return (await client.query<{ kid: string; sealed: Buffer }>(query)).rows
  })
  if (!row) throw new Error('there is no active signing key')
  const { kid, sealed } = row
  const jwk = privateJwk.parse(JSON.parse(unseal(keyEncryptionKey(Buffer.from(secrets.keyEncryptionKey, 'base64')), kid, sealed).toString()))
  const { d, ...shown } = jwk
  return { kid, key: createPrivateKey({ key: { ...shown, d }, format: 'jwk' }), publicJwk: shown }
}

export const segmentOf = (text: string): string => Buffer.from(text).toString('base64url')
export const textOf = (segment: string): string => Buffer.from(segment, 'base64url').toString()

/** Header, payload and signature of a token, each as it is spelled in it. */
export function partsOf(token: string): { header: string; payload: string; signature: string } {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return { header, payload, signature }
}

const claims = z.looseObject({ jti: z.string(), sub: z.string(), org: z.string(), sid: z.string(), iat: z.number(), exp: z.number() })

export const claimsOf = (token: string): z.output<typeof claims> => claims.parse(JSON.parse(textOf(partsOf(token).payload)))

/** A token of these texts with an ES256 signature that verifies, in the one spelling that a token may have. */
export function signed(key: KeyObject, header: string, payload: string): string {
  const input = `${segmentOf(header)}.${segmentOf(payload)}`
  const signature = signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${lowS(signature).toString('base64url')}`
}

/** The token as the service itself would have signed it, had it meant these claims. */
export const reissued = ({ key }: RealKey, token: string, change: Readonly<Record<string, unknown>>): string =>
  signed(key, textOf(partsOf(token).header), JSON.stringify({ ...claimsOf(token), ...change }))

/** Tokens that are good for nothing and look like this one: of no record, and of no signature. */
export function unknownTokens(real: RealKey, token: string, jti: string): string[] {
  const { header, payload, signature } = partsOf(token)
  const other = signature.startsWith('A') ? 'B' : 'A'
  return [reissued(real, token, { jti }), `${header}.${payload}.${other}${signature.slice(1)}`]
}

/** A token in its one spelling, whichever of the two signatures it was given. */
export function withLowS(token: string): string {
  const end = token.lastIndexOf('.') + 1
  return token.slice(0, end) + lowS(Buffer.from(token.slice(end), 'base64url')).toString('base64url')
}
