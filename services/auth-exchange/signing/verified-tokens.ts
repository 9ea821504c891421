import { LRUCache } from 'lru-cache'
import type { SignedClaims } from '../domain/access-token.js'

/** Some 7 MB. */
const MOST = 10_000

/**
 * Which texts carry a signature of ours, because it was made or verified here: a token that is shown again needs no second
 * verification. By digest, so that no token lies in memory. It says nothing of whether the key is still there, nor of the time.
 */
export const verifiedTokens = (): LRUCache<string, SignedClaims> => new LRUCache({ max: MOST })
