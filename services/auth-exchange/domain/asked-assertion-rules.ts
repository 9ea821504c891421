import type { Report } from '#libs/domain-error.js'
import { exactTextProblem, globTextProblem, listFrom } from './asked-lists.js'
import type { AssertionRules } from './assertion-rules.js'
import { isClaimPath } from './claim-path.js'
import { tooWide } from './shared-issuers.js'

/** What somebody asks to be demanded of assertions, as it comes. */
export type AskedRules = {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly subject: string
  readonly boundClaims: readonly { readonly path: string; readonly globs: readonly string[] }[]
  readonly maxAssertionLifeSeconds: number
  readonly mappedClaims: Readonly<Record<string, string>>
}

const MOST = 16
const MOST_GLOBS = 100
const DEFAULT_LIFE_SECONDS = 86_400
const MAX_LIFE_SECONDS = 31_536_000
const CLAIM_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/
const PATH_PROBLEM = 'must be the path of a claim: names with dots between, a dot of a name written \\.'

export function assertionRulesFrom(asked: AskedRules, at: (field: string) => Report): AssertionRules {
  const { issuer, boundClaims } = asked
  const issuerProblem = exactTextProblem(issuer)
  if (issuerProblem !== undefined) at('issuer')(issuerProblem)
  const audiences = listFrom(asked.audiences, { field: 'audiences', max: MOST, problemOf: exactTextProblem }, at)
  const subject = asked.subject === '' ? undefined : asked.subject
  const subjectProblem = subject === undefined ? undefined : globTextProblem(subject)
  if (subjectProblem !== undefined) at('subject')(subjectProblem)
  if (boundClaims.length > MOST) at('bound_claims')(`must hold at most ${MOST}`)
  const claims = boundClaims.slice(0, MOST)
  for (const [place, { path, globs }] of claims.entries()) {
    if (!isClaimPath(path)) at(`bound_claims[${place}].path`)(PATH_PROBLEM)
    listFrom(globs, { field: `bound_claims[${place}].globs`, max: MOST_GLOBS, problemOf: globTextProblem }, at)
  }
  if (subject === undefined && boundClaims.length === 0) at('subject')('must be set where no claim is bound: whoever the issuer knows could log in')
  const wide = tooWide({ issuer, subject, claims })
  if (wide !== undefined) at('issuer')(wide)
  return { issuer, audiences, subject, claims: claims.map(({ path, globs }) => ({ path, globs })), maxLifeSeconds: lifeFrom(asked.maxAssertionLifeSeconds, at), mappedClaims: mappedFrom(asked.mappedClaims, at) }
}

function lifeFrom(asked: number, at: (field: string) => Report): number {
  if (asked < 0 || asked > MAX_LIFE_SECONDS) at('max_assertion_life_seconds')(`must be a whole number from 0 to ${MAX_LIFE_SECONDS}`)
  return asked === 0 ? DEFAULT_LIFE_SECONDS : asked
}

function mappedFrom(asked: Readonly<Record<string, string>>, at: (field: string) => Report): AssertionRules['mappedClaims'] {
  const mapped = Object.entries(asked).map(([name, path]) => ({ name, path }))
  if (mapped.length > MOST) at('mapped_claims')(`must hold at most ${MOST}`)
  for (const { name, path } of mapped.slice(0, MOST)) {
    if (!CLAIM_NAME.test(name)) at('mapped_claims')('must have names of 1 to 64 letters, digits and . _ -, the first a letter')
    if (!isClaimPath(path)) at(`mapped_claims.${CLAIM_NAME.test(name) ? name : '?'}`)(PATH_PROBLEM)
  }
  return mapped
}
