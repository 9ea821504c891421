import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { SignedClaims } from '../domain/access-token.js'

/** Some 7 MB. */
const MOST = 10_000

export type VerifiedTokens = { get(text: string): SignedClaims | undefined; set(text: string, signed: SignedClaims): void }

/**
 * Which texts carry a signature of ours, because it was made or verified here: a token that is shown again needs no second
 * verification. By digest, so that no token lies in memory. It says nothing of whether the key is still there, nor of the time.
 */
export function verifiedTokens(): VerifiedTokens {
  const known = new LRUCache<string, SignedClaims>({ max: MOST })
  const digestOf = (text: string) => hash('sha256', text, 'base64')
  return { get: (text) => known.get(digestOf(text)), set: (text, signed) => void known.set(digestOf(text), signed) }
}
