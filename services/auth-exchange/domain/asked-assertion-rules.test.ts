import { describe, expect, it } from 'vitest'
import { type AskedRules, assertionRulesFrom } from './asked-assertion-rules.js'

const asked: AskedRules = { issuer: 'https://issuer.example', audiences: ['countersign'], subject: 'job-*', boundClaims: [], maxAssertionLifeSeconds: 0, mappedClaims: {} }

function problemsOf(change: Partial<AskedRules>): string[] {
  const found: string[] = []
  assertionRulesFrom({ ...asked, ...change }, (field) => (problem) => void found.push(`${field} ${problem}`))
  return found
}

it('takes rules, and gives assertions a day at the most where nothing is said', () => {
  expect(assertionRulesFrom(asked, () => expect.unreachable())).toEqual({ issuer: 'https://issuer.example', audiences: ['countersign'], subject: 'job-*', claims: [], maxLifeSeconds: 86_400, mappedClaims: [] })
})

// Attack 34: rules that demand no audience are none. Attack 65: nor are those that let in whoever the issuer knows.
it.each<[Partial<AskedRules>, string[]]>([
  [{ audiences: [] }, ['audiences must hold 1 to 16']],
  [{ audiences: [''] }, ['audiences[0] must be 1 to 512 characters of ASCII without spaces']],
  [{ issuer: '' }, ['issuer must be 1 to 512 characters of ASCII without spaces']],
  [{ subject: '' }, ['subject must be set where no claim is bound: whoever the issuer knows could log in']],
  [{ subject: 'a{b' }, ['subject has a { without a } (column 2)']],
  [{ boundClaims: [{ path: 'a..b', globs: ['x'] }] }, ['bound_claims[0].path must be the path of a claim: names with dots between, a dot of a name written \\.']],
  [{ boundClaims: [{ path: 'a', globs: [] }] }, ['bound_claims[0].globs must hold 1 to 100']],
  [{ boundClaims: [{ path: 'a', globs: ['x', '}'] }] }, ['bound_claims[0].globs[1] has a } without a { (column 1)']],
  [{ boundClaims: Array.from({ length: 17 }, () => ({ path: 'a', globs: ['x'] })) }, ['bound_claims must hold at most 16']],
  [{ maxAssertionLifeSeconds: -1 }, ['max_assertion_life_seconds must be a whole number from 0 to 31536000']],
  [{ mappedClaims: { 'a b': 'c' } }, ['mapped_claims must have names of 1 to 64 letters, digits and . _ -, the first a letter']],
  [{ mappedClaims: { a: '.' } }, ['mapped_claims.a must be the path of a claim: names with dots between, a dot of a name written \\.']],
])('refuses %j', (change, problems) => expect(problemsOf(change)).toEqual(problems))

describe('an issuer that issues to everybody', () => {
  const issuer = 'https://token.actions.githubusercontent.com'
  const wide = [`issuer issues to everybody: bind repository_id or repository_owner_id to a value without wildcards`]
  it.each<[Partial<AskedRules>, string[]]>([
    [{ subject: 'repo:acme/app:**' }, wide],
    [{ subject: 'repo:acme/app:ref:refs/heads/main' }, wide],
    [{ boundClaims: [{ path: 'repository_id', globs: ['*'] }] }, wide],
    [{ boundClaims: [{ path: 'repository_id', globs: ['1', '2*'] }] }, wide],
    [{ boundClaims: [{ path: 'repository', globs: ['acme/app'] }] }, wide],
    [{ boundClaims: [{ path: 'repository_id', globs: ['12', '13'] }] }, []],
    [{ subject: 'repo:acme/app:**', boundClaims: [{ path: 'repository_owner_id', globs: ['77'] }] }, []],
  ])('%j', (change, problems) => expect(problemsOf({ issuer, ...change })).toEqual(problems))

  it('is known by any spelling', () => expect(problemsOf({ issuer: `${issuer.toUpperCase().replace('HTTPS', 'https')}/` })).toEqual(wide))
  it('has a subject that stays, for Google', () => expect([problemsOf({ issuer: 'https://accounts.google.com', subject: '1234*' }).length, problemsOf({ issuer: 'https://accounts.google.com', subject: '1234' })]).toEqual([1, []]))
})
