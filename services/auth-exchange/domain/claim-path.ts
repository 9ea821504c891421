import { hasControls } from '#libs/fields.js'
import { type Json, type JsonObject, isObject, memberOf } from './json-object.js'

// Where a claim is within claims: `repository`, or `job.environment` for one that another holds. A dot of a name itself is
// written `\.`, as in `kubernetes\.io.namespace`.

const PATH = /^(?:[^.\\]|\\[.\\])+(?:\.(?:[^.\\]|\\[.\\])+)*$/
const NAME = /(?:[^.\\]|\\[.\\])+/g

export const isClaimPath = (text: string): boolean => text.length <= 256 && PATH.test(text) && !hasControls(text)

export function claimAt(claims: JsonObject, path: string): Json | undefined {
  let found: Json | undefined = claims
  for (const [written] of path.matchAll(NAME)) {
    if (!isObject(found)) return undefined
    found = memberOf(found, written.replace(/\\(.)/g, '$1'))
  }
  return found
}

/** The texts that a claim is compared by: its own, or those of its list. Numbers and truth as JSON writes them. */
export function textsOf(claim: Json | undefined): readonly string[] {
  return (Array.isArray(claim) ? claim : [claim]).flatMap((value) => textOf(value) ?? [])
}

/** Of one claim that is no list. */
export function textOf(claim: unknown): string | undefined {
  if (typeof claim === 'string') return claim
  return typeof claim === 'boolean' || Number.isSafeInteger(claim) ? String(claim) : undefined
}
