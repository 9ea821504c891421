import { describe, expect, it } from 'vitest'
import { type AssertionRules, judgeClaims } from './assertion-rules.js'
import type { JsonObject } from './json-object.js'
import { Unproven } from './unproven.js'

const NOW = 1_800_000_000
const ISSUER = 'https://issuer.example'
const rules: AssertionRules = { issuer: ISSUER, audiences: ['countersign', 'other-name'], subject: 'repo:acme/app:**', claims: [], maxLifeSeconds: 3_600, mappedClaims: [] }
const claims = { iss: ISSUER, aud: 'countersign', sub: 'repo:acme/app:ref:refs/heads/main', iat: NOW, exp: NOW + 300 }

const judged = (given: JsonObject, changed: Partial<AssertionRules> = {}): string => {
  try {
    return JSON.stringify([...judgeClaims(given, { ...rules, ...changed }, new Date(NOW * 1000))])
  } catch (error) {
    if (!(error instanceof Unproven)) throw error
    return error.reason
  }
}
const without = (name: string): JsonObject => Object.fromEntries(Object.entries(claims).filter(([other]) => other !== name))
/** As it comes over the wire, where numbers need not be what JavaScript writes. */
const withText = (name: string, text: string): JsonObject => JSON.parse(JSON.stringify({ ...claims, [name]: '?' }).replace('"?"', text))

it('takes what the rules demand', () => expect(judged(claims)).toBe('[]'))

// Attack 33: an issuer has one spelling. Seen to fail with a comparison that forgives case, or a slash.
describe('the issuer', () => {
  it.each([
    'https://issuer.example/', 'https://issuer.example//', 'HTTPS://issuer.example', 'https://Issuer.example', 'https://issuer.example:443', 'http://issuer.example', 'issuer.example', '//issuer.example',
    ' https://issuer.example', 'https://issuer.example ', 'https://issuer.example?', 'https://issuer.example#', 'https://issuer.example/.', 'https://user@issuer.example', 'https://issuer.example.', 'https://issuer.example\u0000',
    'https://issuer%2eexample', 'https://\u0456ssuer.example', 'https://issuer.example.evil.example', '',
  ])('is another one: %j', (iss) => expect(judged({ ...claims, iss })).toBe('issuer not allowed'))

  it.each([[null], [1], [[ISSUER]], [{ iss: ISSUER }]])('is none: %j', (iss) => expect(judged({ ...claims, iss })).toBe('issuer not allowed'))
  it('has to be there', () => expect(judged(without('iss'))).toBe('issuer not allowed'))
})

// Attack 34. Seen to fail with `some` in place of `every`, and without the length.
describe('the audience', () => {
  it.each([['countersign'], [['countersign']], [['countersign', 'other-name']], ['other-name']])('is ours: %j', (aud) => expect(judged({ ...claims, aud })).toBe('[]'))
  it.each([[''], [[]], ['other'], [['other']], [['countersign', 'other']], [['other', 'countersign']], [[['countersign']]], [[null]], [null], [1], [{ 0: 'countersign' }], ['Countersign'], ['countersign '], [['countersign', 1]]])('is not ours alone: %j', (aud) => {
    expect(judged({ ...claims, aud })).toBe('audience not allowed')
  })
  it('has to be there', () => expect(judged(without('aud'))).toBe('audience not allowed'))
})

// Attacks 36 and 37. Seen to fail without isSafeInteger, and without the longest life.
describe('time', () => {
  it('has an end', () => {
    expect(judged(without('exp'))).toBe('without an end')
    for (const [exp, answer] of [[NOW + 1, '[]'], [NOW, 'expired'], [NOW - 1, 'expired'], [0, 'expired']] as const) expect(judged({ ...claims, exp }), String(exp)).toBe(answer)
  })

  it.each(['1e400', '1800000300.5', '-1', '9007199254740993', '"1800000300"', 'null', 'true', '[1800000300]', '{}', '1e20'])('has no end at %s', (exp) => expect(judged(withText('exp', exp))).toBe('claim exp malformed'))
  it.each(['1e400', '1.5', '"1"', 'null'])('has no issue at %s', (iat) => expect(judged(withText('iat', iat))).toBe('claim iat malformed'))
  it('counts minus nothing as nothing', () => expect(judged(withText('exp', '-0'))).toBe('expired'))

  it('is begun, but for half a minute of another clock', () => {
    for (const name of ['iat', 'nbf']) {
      expect(judged({ ...claims, [name]: NOW + 30 }), name).toBe('[]')
      expect(judged({ ...claims, [name]: NOW + 31 }), name).toBe('not valid yet')
    }
  })

  it('is not longer than the rules allow, counted from the issue, or from now where there is none', () => {
    expect(judged({ ...claims, iat: NOW - 3_000, exp: NOW + 600 })).toBe('[]')
    expect(judged({ ...claims, iat: NOW - 3_000, exp: NOW + 601 })).toBe('lives too long')
    expect(judged({ ...without('iat'), exp: NOW + 3_600 })).toBe('[]')
    expect(judged({ ...without('iat'), exp: NOW + 3_601 })).toBe('lives too long')
    expect(judged({ ...claims, exp: NOW + 315_360_000 })).toBe('lives too long')
  })
})

// Attack 65.
describe('the subject', () => {
  it.each([
    ['repo:acme/app:ref:refs/heads/main', '[]'],
    ['repo:acme/app:x', '[]'],
    ['repo:acme/app', 'subject not allowed'],
    ['repo:acme/app-evil:x', 'subject not allowed'],
    ['repo:acme-evil/app:x', 'subject not allowed'],
    ['x repo:acme/app:x', 'subject not allowed'],
    ['', 'subject not allowed'],
  ])('%j: %s', (sub, answer) => expect(judged({ ...claims, sub })).toBe(answer))

  it('is a text', () => {
    for (const sub of [null, 1, ['repo:acme/app:x'], { toString: 'repo:acme/app:x' }]) expect(judged({ ...claims, sub }), JSON.stringify(sub)).toBe('subject not allowed')
    expect(judged(without('sub'))).toBe('subject not allowed')
  })

  it('is anybody where the rules name none', () => expect(judged(without('sub'), { subject: undefined })).toBe('[]'))
})

describe('a bound claim', () => {
  const bound = (path: string, ...globs: string[]) => ({ claims: [{ path, globs }] })
  it.each<[string, string[], JsonObject, boolean]>([
    ['environment', ['production'], { environment: 'production' }, true],
    ['environment', ['production'], { environment: 'Production' }, false],
    ['environment', ['production'], {}, false],
    ['environment', ['prod-*'], { environment: 'prod-eu' }, true],
    ['environment', ['prod-*'], { environment: 'prod-eu/evil' }, false],
    ['environment', ['staging', 'production'], { environment: 'production' }, true],
    ['groups', ['admins'], { groups: ['users', 'admins'] }, true],
    ['groups', ['admins'], { groups: ['users', 'not-admins'] }, false],
    ['groups', ['users,admins'], { groups: ['users', 'admins'] }, false],
    ['groups', ['admins'], { groups: [['admins']] }, false],
    ['groups', ['admins'], { groups: { admins: true } }, false],
    ['groups', ['*'], { groups: [] }, false],
    ['project_id', ['42'], { project_id: 42 }, true],
    ['verified', ['true'], { verified: true }, true],
    ['verified', ['true'], { verified: null }, false],
    ['share', ['1.5'], { share: 1.5 }, false],
    ['job.name', ['deploy'], { job: { name: 'deploy' } }, true],
    ['job.name', ['deploy'], { 'job.name': 'deploy' }, false],
    ['job\\.name', ['deploy'], { 'job.name': 'deploy' }, true],
    ['kubernetes\\.io.namespace', ['billing'], { 'kubernetes.io': { namespace: 'billing' } }, true],
    ['job.name', ['deploy'], { job: ['name'] }, false],
    ['job.length', ['*'], { job: ['name'] }, false],
    ['constructor.name', ['Object'], {}, false],
    ['__proto__.x', ['*'], {}, false],
  ])('%s of %j in %j: %s', (path, globs, more, holds) => {
    expect(judged({ ...claims, ...more }, bound(path, ...globs))).toBe(holds ? '[]' : `claim ${path} not allowed`)
  })

  it('holds only with all the others', () => {
    const both = { claims: [{ path: 'a', globs: ['1'] }, { path: 'b', globs: ['2'] }] }
    expect([judged({ ...claims, a: '1', b: '2' }, both), judged({ ...claims, a: '1', b: '3' }, both)]).toEqual(['[]', 'claim b not allowed'])
  })
})

describe('a mapped claim', () => {
  const mapped = { mappedClaims: [{ name: 'team', path: 'org.team' }] }
  it.each([['blue', 'blue'], [42, '42'], [true, 'true'], ['', '']])('%j is %j', (team, text) => {
    expect(judged({ ...claims, org: { team } }, mapped)).toBe(JSON.stringify([['team', text]]))
  })
  it.each([[['blue']], [null], [{}], [1.5], ['x'.repeat(257)], [undefined]])('has to be one text: %j', (team) => {
    expect(judged({ ...claims, org: team === undefined ? {} : { team } }, mapped)).toBe('claim org.team missing or too long')
  })
})
