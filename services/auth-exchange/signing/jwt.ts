import { sign } from 'node:crypto'
import { errors, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Clock } from '#libs/clock.js'
import { tokenDigest } from '#libs/active-token.js'
import { isId } from '#libs/ids.js'
import type { SignedClaims } from '../domain/access-token.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { TokenSigner } from '../ports.js'
import type { Keyring } from './keys.js'
import { canonicalSegments, lowS } from './token-text.js'
import { verifiedTokens } from './verified-tokens.js'

const id = z.string().refine(isId)
// Whole seconds until the year 9999: JSON numbers can be fractions, negative, or too large to be exact.
const seconds = z.int().min(0).max(253_402_300_799)
const claimsSchema = z.object({ jti: id, sub: id, org: id, sid: id, amr: z.array(z.string()), client_id: id, iat: seconds, exp: seconds })

type Outside = { readonly keys: Keyring; readonly clock: Clock; readonly issuer: string; readonly audience: string }

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * Access tokens as JWTs (RFC 9068, RFC 7515): typ at+jwt, ES256. jose makes the keys and verifies; it signs by way of the
 * thread pool, which costs a login several times what the signature does, so the signature is made here.
 */
export function tokenSigner({ keys, clock, issuer, audience }: Outside): TokenSigner {
  const verified = verifiedTokens()
  const verifyAt = async (text: string, currentDate: Date): Promise<SignedClaims> => {
    const segments = canonicalSegments(text)
    const known = segments && (await keys.byHeaderSegment(segments.header))
    if (!known) throw accessTokenRejected()
    const digest = tokenDigest(text)
    const again = verified.get(digest)
    if (again && again.kid === known.kid && again.claims.exp * 1000 > currentDate.getTime()) return again
    const expected = { algorithms: ['ES256'], typ: 'at+jwt', issuer, audience, currentDate }
    const { payload } = await jwtVerify(text, known.key, expected).catch((error: unknown) => {
      throw error instanceof errors.JOSEError ? accessTokenRejected() : error
    })
    const claims = claimsSchema.safeParse(payload)
    if (!claims.success) throw accessTokenRejected()
    const signed = { claims: claims.data, kid: known.kid }
    verified.set(digest, signed)
    return signed
  }
  return {
    sign: async (claims, kid) => {
      const { kid: signingKid, headerSegment, key } = await keys.signing(kid)
      const signed = `${headerSegment}.${segment({ iss: issuer, aud: audience, ...claims })}`
      const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
      const text = `${signed}.${lowS(signature).toString('base64url')}`
      const digest = tokenDigest(text)
      verified.set(digest, { claims, kid: signingKid })
      return { text, digest }
    },
    verify: (text) => verifyAt(text, clock.now()),
    // In 1970 no token has expired yet.
    verifyExpiredToo: (text) => verifyAt(text, new Date(0)),
    publicKeys: () => keys.verification().map(({ kid, jwk }) => ({ ...jwk, kid })),
  }
}
