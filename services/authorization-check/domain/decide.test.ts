import { describe, expect, it } from 'vitest'
import type { Effect } from '#libs/rules/condition.js'
import type { Rule } from '#libs/rules/rule.js'
import { trustedSourceOf } from '#libs/rules/trusted-source.js'
import { assertLive, decide, type TimeBetween } from './decide.js'
import { type Grant, roleFrom, type TokenFacts } from './grants.js'

const token: TokenFacts = { tokenId: 't', organizationId: 'o', identityId: 'i', credentialId: 's', method: 'universal-auth', expireMillis: 1_000, revoked: false, useLimited: false, trusted: undefined }
const rule = (effect: Effect, ...actions: string[]): Rule => ({ effect, resources: ['secrets'], actions, conditions: [] })
const at = (millis: number): TimeBetween => ({ earliest: millis, latest: millis })
const always = { startMillis: -Infinity, endMillis: Infinity }

type Held = { readonly rules: readonly Rule[]; readonly window?: Omit<Grant, 'roleId'> }

function holding(grantsTime: TimeBetween, ...held: readonly Held[]) {
  const roles = held.map(({ rules }, place) => roleFrom({ roleId: `role-${place}`, role: `name-${place}`, rules }))
  const grants = held.map(({ window = always }, place) => ({ roleId: `role-${place}`, ...window }))
  return { credential: token, grants: { state: 'active' as const, identityName: 'billing', grants }, roles, grantsTime }
}

const reads = { action: 'read', resource: 'secrets', attributes: new Map<string, string>(), sourceAddress: undefined }

describe('a decision', () => {
  it('names the role and the rule that made it', () => {
    const decision = decide(holding(at(0), { rules: [rule('allow', 'write')] }, { rules: [rule('allow', 'list'), rule('allow', 'read')] }), reads)
    expect(decision).toMatchObject({ allowed: true, reason: 'allowed-by-rule', role: { roleId: 'role-1', role: 'name-1' }, ruleIndex: 1 })
  })

  it('is deny by a deny of any role, whatever the others allow', () => {
    const decision = decide(holding(at(0), { rules: [rule('allow', '*')] }, { rules: [rule('deny', 'read')] }), reads)
    expect(decision).toMatchObject({ allowed: false, reason: 'denied-by-rule', role: { roleId: 'role-1' } })
  })

  it.each([[[]], [[{ rules: [] }]], [[{ rules: [rule('allow', 'write')] }]]])('is deny where no rule speaks: %j', (held) =>
    expect(decide(holding(at(0), ...held), reads)).toEqual({ allowed: false, reason: 'no-rule' }))
})

// Seen to fail with the claims left out. Another token of the same identity is of another login.
it('rests on what the login of the token proved', () => {
  const own: Rule = { ...rule('allow', 'read'), conditions: [{ attribute: 'namespace', operator: 'eq', values: ['{{identity.auth.kubernetes.namespace}}'] }] }
  const ofNamespace = (namespace: string) => ({ ...reads, attributes: new Map([['namespace', namespace]]) })
  const held = holding(at(0), { rules: [own] })
  const proven = { ...held, credential: { ...token, authClaims: new Map([['kubernetes.namespace', 'billing']]) } }
  expect([decide(proven, ofNamespace('billing')).allowed, decide(proven, ofNamespace('other')).allowed, decide(held, ofNamespace('billing')).allowed]).toEqual([true, false, false])
})

// Seen to fail without the question where the token is used.
describe('a token that may be used from 10.0.0.0/8', () => {
  const from = (sourceAddress: string | undefined, ...rules: readonly Rule[]) =>
    decide({ ...holding(at(0), { rules }), credential: { ...token, trusted: trustedSourceOf(['10.0.0.0/8']) } }, { ...reads, sourceAddress })
  const denied = { allowed: false, reason: 'source-not-trusted' }

  it('is judged by its rules there', () => {
    expect(from('10.1.2.3', rule('allow', 'read'))).toMatchObject({ allowed: true })
    expect(from('::ffff:10.1.2.3', rule('deny', 'read'))).toMatchObject({ reason: 'denied-by-rule' })
  })

  it.each(['11.1.2.3', '::1', '10.1.2', '/run/envoy.sock', '', undefined])('is denied everything from %j, whatever its rules', (address) => {
    expect(from(address, rule('allow', '*'))).toEqual(denied)
    expect(from(address, rule('deny', '*'))).toEqual(denied)
  })
})

// The database's time is known to lie between two moments: in between, a role denies and does not allow.
describe('a window from 100 until just before 200', () => {
  const window = { startMillis: 100, endMillis: 200 }
  const allowed = (time: TimeBetween) => decide(holding(time, { rules: [rule('allow', 'read')], window }), reads).allowed
  const denied = (time: TimeBetween) => decide(holding(time, { rules: [rule('allow', 'read')] }, { rules: [rule('deny', 'read')], window }), reads).reason === 'denied-by-rule'

  it.each([
    [{ earliest: 90, latest: 99 }, false, false],
    [{ earliest: 99, latest: 100 }, false, true],
    [{ earliest: 100, latest: 199 }, true, true],
    [{ earliest: 199, latest: 200 }, false, true],
    [{ earliest: 200, latest: 250 }, false, false],
    [{ earliest: 0, latest: 300 }, false, true],
  ])('%j: allows %s, denies %s', (time, allows, denies) => expect([allowed(time), denied(time)]).toEqual([allows, denies]))
})

describe('a token', () => {
  const active = { state: 'active' as const, identityName: 'billing', grants: [] }
  const good = { credential: token, grants: active, credentialTime: { earliest: 900, latest: 999 }, grantsTime: at(0) }
  const rejected = expect.objectContaining({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' })

  it('is live until it may have expired', () => expect(() => assertLive(good)).not.toThrow())

  it.each([
    ['is revoked', { ...good, credential: { ...token, revoked: true } }],
    ['may have expired', { ...good, credentialTime: { earliest: 900, latest: 1_000 } }],
    ['is of a disabled identity', { ...good, grants: { ...active, state: 'disabled' as const } }],
    ['is of a deleted identity', { ...good, grants: { ...active, state: 'absent' as const } }],
  ])('that %s is rejected', (_what, evidence) => expect(() => assertLive(evidence)).toThrow(rejected))

  it('is not what is rejected where a certificate was shown', () => {
    const principal = { organizationId: 'o', identityId: '', tokenId: undefined, method: 'principal', expireMillis: Infinity, revoked: true, useLimited: false, trusted: undefined }
    const told = expect.objectContaining({ kind: 'UNAUTHENTICATED', reason: 'PRINCIPAL_REJECTED' })
    expect(() => assertLive({ ...good, credential: principal })).toThrow(told)
    expect(() => assertLive({ ...good, credential: { ...principal, identityId: 'i', revoked: false } })).not.toThrow()
  })
})
