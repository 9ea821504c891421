import { compileGlob } from '#libs/rules/glob.js'
import { claimAt, textOf, textsOf } from './claim-path.js'
import { type JsonObject, memberOf } from './json-object.js'
import { Unproven } from './unproven.js'

/** What an assertion must say to prove an identity. */
export type AssertionRules = {
  /** Compared by each character. */
  readonly issuer: string
  /** Those that we are. An assertion that is for somebody else too could be shown by them. */
  readonly audiences: readonly string[]
  /** A glob, or undefined for anybody whom the claims describe. */
  readonly subject?: string | undefined
  /** Each of them has to hold. */
  readonly claims: readonly BoundClaim[]
  /** From its issue to its end. */
  readonly maxLifeSeconds: number
  /** Claims that rules may speak of, as {{identity.auth.NAME}}. */
  readonly mappedClaims: readonly MappedClaim[]
}

/** The claim at the path, or one of its list, matches one of the globs. */
export type BoundClaim = { readonly path: string; readonly globs: readonly string[] }

export type MappedClaim = { readonly name: string; readonly path: string }

/** By name. */
export type MappedClaims = ReadonlyMap<string, string>

/** How far an issuer's clock may be ahead. */
const SKEW_SECONDS = 30
export const MAX_MAPPED_LENGTH = 256

/** Refuses claims that prove nothing under the rules; answers with those that are mapped. */
export function judgeClaims(claims: JsonObject, rules: AssertionRules, now: Date): MappedClaims {
  if (memberOf(claims, 'iss') !== rules.issuer) throw new Unproven('issuer not allowed')
  judgeAudience(claims, rules)
  judgeTimes(claims, rules, now.getTime() / 1000)
  const subject = memberOf(claims, 'sub')
  if (rules.subject !== undefined && !(typeof subject === 'string' && compileGlob(rules.subject).matches(subject))) throw new Unproven('subject not allowed')
  for (const { path, globs } of rules.claims) {
    const texts = textsOf(claimAt(claims, path))
    const isAllowed = globs.map(compileGlob).some((glob) => texts.some((text) => glob.matches(text)))
    if (!isAllowed) throw new Unproven(`claim ${path} not allowed`)
  }
  return new Map(rules.mappedClaims.map(({ name, path }) => [name, mapped(claims, path)]))
}

function judgeAudience(claims: JsonObject, { audiences }: AssertionRules): void {
  const given = memberOf(claims, 'aud')
  const named: readonly unknown[] = Array.isArray(given) ? given : [given]
  const isOurs = named.length > 0 && named.every((audience) => typeof audience === 'string' && audiences.includes(audience))
  if (!isOurs) throw new Unproven('audience not allowed')
}

function judgeTimes(claims: JsonObject, { maxLifeSeconds }: AssertionRules, now: number): void {
  const [expires, notBefore, issued] = ['exp', 'nbf', 'iat'].map((name) => secondsOf(claims, name))
  if (expires === undefined) throw new Unproven('without an end')
  if (expires <= now) throw new Unproven('expired')
  if ((notBefore ?? 0) > now + SKEW_SECONDS || (issued ?? 0) > now + SKEW_SECONDS) throw new Unproven('not valid yet')
  if (expires - (issued ?? now) > maxLifeSeconds) throw new Unproven('lives too long')
}

function secondsOf(claims: JsonObject, name: string): number | undefined {
  const value = memberOf(claims, name)
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Unproven(`claim ${name} malformed`)
  return value
}

function mapped(claims: JsonObject, path: string): string {
  const text = textOf(claimAt(claims, path))
  if (text === undefined || text.length > MAX_MAPPED_LENGTH) throw new Unproven(`claim ${path} missing or too long`)
  return text
}
