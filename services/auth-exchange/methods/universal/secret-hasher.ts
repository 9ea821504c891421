import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import pLimit from 'p-limit'
import { hashingBusy } from '../../domain/refusals.js'
import { type Argon2Parameters, associatedData, digestUnder, type Pepper, sameBytes, type SecretOwner, type Verifiers } from '../../domain/secret-hash.js'
import type { SecretHasher } from '../../ports.js'

/** Hashing as OWASP advises for argon2id: 19 MiB, two passes. */
const PARAMETERS: Argon2Parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const HASH_BYTES = 32

/** Two at once leave half of libuv's four threads to what shares them, such as the verification of tokens. */
const AT_ONCE = 2
const MAX_WAITING = 64

export type Argon2Verifier = SecretHasher & {
  /** Whether the text is the secret that was hashed for this owner. */
  matches(owner: SecretOwner, text: string, stored: Pick<Verifiers, 'argon2Hash' | 'argon2Salt' | 'argon2Parameters'>): Promise<boolean>
}

export function secretHasher(current: Pepper): Argon2Verifier {
  const limit = pLimit(AT_ONCE)
  // The raw output is stored, and the hash is always made anew with associated data of our own: argon2's encoded form
  // carries its own, and verifying would believe it.
  const hash = (owner: SecretOwner, text: string, { salt, parameters }: { salt: Buffer; parameters: Argon2Parameters }) => {
    if (limit.pendingCount >= MAX_WAITING) return Promise.reject(hashingBusy())
    const options = { ...parameters, type: argon2.argon2id, hashLength: HASH_BYTES, raw: true as const, salt, associatedData: associatedData(owner) }
    return limit(() => argon2.hash(text, options))
  }
  return {
    verifiersOf: async (owner, text) => {
      const argon2Salt = randomBytes(16)
      const argon2Hash = await hash(owner, text, { salt: argon2Salt, parameters: PARAMETERS })
      return { digest: digestUnder(current, owner, text), pepperId: current.id, argon2Hash, argon2Salt, argon2Parameters: PARAMETERS }
    },
    matches: async (owner, text, { argon2Hash, argon2Salt, argon2Parameters }) =>
      sameBytes(await hash(owner, text, { salt: argon2Salt, parameters: argon2Parameters }), argon2Hash),
  }
}
