import { compactVerify, errors } from 'jose'
import type { Clock } from '#libs/clock.js'
import { type Assertion, assertionFrom } from '../../domain/assertion.js'
import { type AssertionRules, judgeClaims, type MappedClaims } from '../../domain/assertion-rules.js'
import { Unproven } from '../../domain/unproven.js'
import type { PublicKey } from './public-keys.js'

export type Keys = (keyId: string | undefined) => Promise<readonly PublicKey[]>

/** Verifies an assertion, or throws what is wrong with it. What it says is judged first: nobody is asked for the keys of one that would prove nothing. */
export async function verifyAssertion(text: string, { rules, keys, clock }: { readonly rules: AssertionRules; readonly keys: Keys; readonly clock: Clock }): Promise<MappedClaims> {
  const assertion = assertionFrom(text)
  const mappedClaims = judgeClaims(assertion.claims, rules, clock.now())
  const found = await keys(assertion.keyId)
  if (found.length === 0) throw new Unproven('key unknown')
  const fitting = found.filter(({ algorithms }) => algorithms.includes(assertion.algorithm))
  if (fitting.length === 0) throw new Unproven('algorithm of another key')
  for (const key of fitting) {
    if (await isSignedBy(key, assertion)) return mappedClaims
  }
  throw new Unproven('signature wrong')
}

async function isSignedBy({ key }: PublicKey, { text, algorithm }: Assertion): Promise<boolean> {
  try {
    await compactVerify(text, key, { algorithms: [algorithm] })
    return true
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return false
    throw error instanceof errors.JOSEError ? new Unproven('malformed') : error
  }
}
