import { hash } from 'node:crypto'
import { z } from 'zod'

// The one thing that two services keep in the shared store: auth-exchange writes it when a token was issued,
// authorization-check reads it, and writes what it had to ask for. Its format is auth-exchange's.

/** What a token is good for, as long as nothing of it is revoked. */
export type ActiveToken = {
  readonly tokenId: string
  readonly organizationId: string
  readonly identityId: string
  readonly credentialId: string
  readonly method: string
  /** When this text expires, in milliseconds since 1970. */
  readonly expireMillis: number
  /** What its login proved beside who it is, for templates of rules. */
  readonly authClaims?: ReadonlyMap<string, string> | undefined
  /** Whoever answers a question about it with allow has a use counted first. */
  readonly useLimited: boolean
  /** From where it may be used: addresses and ranges. */
  readonly trustedIps: readonly string[]
  /** Of the text: equal, it stands for the signature. */
  readonly digest: string
}

export const activeTokenKey = (tokenId: string): string => `auth-exchange:active-token:v2:${tokenId}`

/** Of a token's text; what is kept of a token is never its text. */
export const tokenDigest = (text: string): string => hash('sha256', text, 'base64url')

/** Whom a token claims to be of. */
export type ClaimedToken = Pick<ActiveToken, 'tokenId' | 'organizationId' | 'identityId'>

/** What a token says of itself, before anything of it is verified: only good for knowing where to look. */
export function claimedIn(text: string): ClaimedToken | undefined {
  const [, payload, , ...more] = text.split('.', 4)
  if (payload === undefined || more.length > 0) return undefined
  const claims = Buffer.from(payload, 'base64url').toString('latin1')
  const [tokenId, identityId, organizationId] = [JTI, SUB, ORG].map((claim) => claim.exec(claims)?.[1])
  return tokenId === undefined || identityId === undefined || organizationId === undefined ? undefined : { tokenId, identityId, organizationId }
}

/** The key that a token says it was signed by: true of one that was verified. */
export function kidIn(text: string): string {
  const header = Buffer.from(text.slice(0, Math.max(0, text.indexOf('.'))), 'base64url').toString('latin1')
  return KID.exec(header)?.[1] ?? ''
}

const KID = /"kid":"([\w-]{43})"/
const JTI = /"jti":"([0-9a-f-]{36})"/
const SUB = /"sub":"([0-9a-f-]{36})"/
const ORG = /"org":"([0-9a-f-]{36})"/

const [LIMITED, UNLIMITED] = ['limited', 'unlimited']

export const activeTokenText = (token: ActiveToken): string =>
  [token.tokenId, token.organizationId, token.identityId, token.credentialId, token.method, token.expireMillis, claimsText(token.authClaims), token.useLimited ? LIMITED : UNLIMITED, token.trustedIps.join(), token.digest].join('\n')

export function activeTokenFrom(text: string): ActiveToken | undefined {
  const [tokenId, organizationId, identityId, credentialId, method, expireMillis, claims, uses, trustedIps, digest, ...more] = text.split('\n')
  if (tokenId === undefined || organizationId === undefined || identityId === undefined || credentialId === undefined || claims === undefined) return undefined
  if (method === undefined || expireMillis === undefined || trustedIps === undefined || digest === undefined || more.length > 0) return undefined
  const use = { useLimited: uses !== UNLIMITED, trustedIps: trustedIps.split(',') }
  return { tokenId, organizationId, identityId, credentialId, method, expireMillis: Number(expireMillis), authClaims: claimsFrom(claims), ...use, digest }
}

// Most tokens have none, and are read without parsing any.
const claimsText = (claims: ReadonlyMap<string, string> | undefined): string => (claims && claims.size > 0 ? JSON.stringify([...claims]) : '')

const claimsSchema = z.array(z.tuple([z.string(), z.string()]))

const claimsFrom = (text: string): ReadonlyMap<string, string> | undefined => (text === '' ? undefined : new Map(claimsSchema.parse(JSON.parse(text))))
