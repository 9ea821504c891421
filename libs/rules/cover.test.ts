import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceRule } from '../../test/support/reference-rules.js'
import { askedOf, nearOf, ruleOf, RUNS, subject } from '../../test/support/rule-arbitraries.js'
import type { Condition } from './condition.js'
import { covers, coversDeny, coversOwn, coversOwnDeny, isDisjoint } from './cover.js'
import type { Rule } from './rule.js'

const allow = (given: Partial<Rule> = {}): Rule => ({ effect: 'allow', resources: ['secrets'], actions: ['read'], conditions: [], ...given })
const where = (...conditions: Condition[]): Rule => allow({ conditions })
const is = (attribute: string, operator: Condition['operator'], ...values: Condition['values'][number][]): Condition => ({ attribute, operator, values })

describe('an allow covers another', () => {
  it.each<[string, Rule, Rule]>([
    ['that is the same', allow(), allow()],
    ['of fewer words', allow({ resources: ['secrets', 'orders'], actions: ['*'] }), allow({ resources: ['orders'], actions: ['read', 'list'] })],
    ['of one more condition', where(is('path', 'glob', '/a/**')), where(is('owner', 'eq', 'ann'), is('path', 'glob', '/a/**'))],
    ['of a value among its own', where(is('env', 'in', 'dev', 'test')), where(is('env', 'eq', 'test'))],
    ['of fewer values', where(is('env', 'in', 'dev', 'test', 'prod')), where(is('env', 'in', 'prod', 'dev'))],
    ['of a value that its glob matches', where(is('path', 'glob', '/a/**')), where(is('path', 'eq', '/a/b'))],
    ['of a glob within its own', where(is('path', 'glob', '/a/**')), where(is('path', 'glob', '/a/*/c'))],
    ['of a glob of nothing but its values', where(is('path', 'in', '/a/b', '/a/c')), where(is('path', 'glob', '/a/b'))],
    ['of a value that is not excluded', where(is('env', 'ne', 'prod')), where(is('env', 'eq', 'dev'))],
    ['of a glob that is not excluded', where(is('path', 'not_glob', '/a/**')), where(is('path', 'glob', '/b/**'))],
    ['that excludes more', where(is('env', 'ne', 'prod')), where(is('env', 'not_in', 'prod', 'test'))],
    ['of a range within its own', where(is('context.ip', 'cidr', '10.0.0.0/8')), where(is('context.ip', 'cidr', '10.1.0.0/16', '10.2.3.4'))],
    ['of an address within its range', where(is('context.ip', 'cidr', '10.0.0.0/8')), where(is('context.ip', 'eq', '10.1.2.3'))],
    ['that asks for something of what has to be there', where(is('owner', 'exists', true)), where(is('owner', 'ne', 'ann'))],
    ['for the identity that asks', where(is('path', 'glob', '/home/**')), where(is('path', 'glob', '/home/{{identity.name}}/x'))],
    ['of the one bool that is not the other', where(is('open', 'eq', true)), where(is('open', 'ne', false))],
    ['of a number among its own', where(is('level', 'in', 1, 2)), where(is('level', 'eq', 2))],
  ])('%s', (_what, wide, narrow) => expect(covers(wide, narrow)).toBe(true))

  it.each<[string, Rule, Rule]>([
    ['of another action', allow(), allow({ actions: ['write'] })],
    ['of every action', allow(), allow({ actions: ['*'] })],
    ['of one condition less', where(is('path', 'glob', '/a/**')), allow()],
    ['of a wider glob', where(is('path', 'glob', '/a/*')), where(is('path', 'glob', '/a/**'))],
    ['of another attribute', where(is('path', 'eq', 'a')), where(is('owner', 'eq', 'a'))],
    ['of the same text as a number', where(is('level', 'ne', 1)), where(is('level', 'eq', '2'))],
    ['for itself alone', where(is('path', 'glob', '/home/{{identity.name}}/**')), where(is('path', 'eq', '/home/ann/x'))],
    ['for whoever asks', where(is('owner', 'eq', '{{identity.id}}')), where(is('owner', 'eq', '{{identity.id}}'))],
    ['whose placeholder can become anything', where(is('path', 'glob', '/home/*')), where(is('path', 'glob', '/home/{{identity.metadata.dir}}'))],
    ['of a range around its own', where(is('context.ip', 'cidr', '10.1.0.0/16')), where(is('context.ip', 'cidr', '10.0.0.0/8'))],
    ['of a longer range that begins where its own does', where(is('context.ip', 'cidr', '10.0.0.0/16')), where(is('context.ip', 'cidr', '10.0.0.0/8'))],
    ['that excludes only what a placeholder becomes', where(is('owner', 'ne', 'ann')), where(is('owner', 'ne', '{{identity.name}}'))],
    ['that asks only for something to be there', where(is('open', 'eq', true)), where(is('open', 'exists', true))],
    ['that asks for nothing to be there', where(is('owner', 'ne', 'ann')), where(is('owner', 'exists', false))],
    ['that two of its conditions together would cover', where(is('env', 'in', 'dev', 'test')), where(is('env', 'ne', 'prod'))],
  ])('but not one %s', (_what, wide, narrow) => expect(covers(wide, narrow)).toBe(false))
})

const deny = (...conditions: Condition[]): Rule => ({ ...where(...conditions), effect: 'deny' })

describe('a deny covers another', () => {
  it.each<[string, Rule, Rule]>([
    ['that is the same', deny(is('path', 'glob', '/a/**')), deny(is('path', 'glob', '/a/**'))],
    ['of fewer values', deny(is('env', 'in', 'prod', 'test')), deny(is('env', 'eq', 'prod'))],
    ['that asks whether there is one', deny(is('env', 'exists', true)), deny(is('env', 'exists', true))],
  ])('%s', (_what, wide, narrow) => expect(coversDeny(wide, narrow)).toBe(true))

  it.each<[string, Rule, Rule]>([
    ['that also denies what is missing', deny(is('env', 'exists', true)), deny(is('env', 'eq', 'prod'))],
    // Where the team is not known, it denies every text.
    ['whose placeholder may not be known', deny(is('path', 'glob', '/**')), deny(is('path', 'eq', '/{{identity.metadata.team}}'))],
    ['of one condition less', deny(is('path', 'glob', '/a/**')), deny()],
    // Which matches no bool, and everything else.
    ['of no value of another type', deny(is('level', 'eq', 3)), deny(is('level', 'not_in', true, false))],
  ])('but not one %s', (_what, wide, narrow) => expect(coversDeny(wide, narrow)).toBe(false))
})

describe('a deny is apart from an allow', () => {
  it.each<[string, Rule, Rule]>([
    ['about another action', allow(), { ...deny(), actions: ['write'] }],
    ['about other values', where(is('env', 'in', 'dev', 'test')), deny(is('env', 'eq', 'prod'))],
    ['about all but its values', where(is('env', 'eq', 'dev')), deny(is('env', 'ne', 'dev'))],
    ['about what it excludes', where(is('env', 'not_in', 'prod', 'test')), deny(is('env', 'eq', 'prod'))],
    ['about other paths', where(is('path', 'glob', '/a/**')), deny(is('path', 'glob', '/b/**'))],
    ['about other addresses', where(is('context.ip', 'cidr', '10.0.0.0/8')), deny(is('context.ip', 'cidr', '192.168.0.0/16'))],
    ['about what has no such attribute', where(is('env', 'eq', 'dev')), deny(is('env', 'exists', false))],
  ])('%s', (_what, given, denying) => expect(isDisjoint(given, denying)).toBe(true))

  it.each<[string, Rule, Rule]>([
    ['about an attribute that may be missing', where(is('owner', 'eq', 'ann')), deny(is('env', 'eq', 'prod'))],
    ['about a value of another type', where(is('level', 'eq', 'high')), deny(is('level', 'eq', 1))],
    ['about a bool, of a number', where(is('level', 'eq', 2)), deny(is('level', 'eq', true))],
    ['about some of its paths', where(is('path', 'glob', '/a/**')), deny(is('path', 'glob', '/**/b'))],
    ['about a placeholder that may not be known', where(is('path', 'glob', '/a/**')), deny(is('path', 'glob', '/b/{{identity.metadata.team}}'))],
  ])('but not one %s', (_what, given, denying) => expect(isDisjoint(given, denying)).toBe(false))
})

const twins = (effect: Rule['effect']) => ruleOf(fc.constant(effect)).chain((wide) => fc.tuple(fc.constant(wide), fc.oneof(ruleOf(fc.constant(effect)), nearOf(wide))))

/** Two rules, and a question that the second often has an answer to. */
const askedAbout = (pairs: fc.Arbitrary<[Rule, Rule]>) => pairs.chain(([one, other]) => fc.tuple(fc.constant(one), fc.constant(other), askedOf(other)))

/** How often what was to be shown was proven, so that a property of nothing would be seen. */
function proven(property: (count: () => void) => fc.IProperty<unknown>): number {
  let count = 0
  fc.assert(property(() => void (count += 1)), { numRuns: RUNS * 3 })
  return count
}

// The identities that the rules speak of are two. Seen to fail with a placeholder of the granter taken for what it becomes,
// with values of two types taken to be different, with a missing attribute left out of EXISTS, and with ranges compared by
// their prefixes alone; and the tables above with one of the recipient taken for one segment, and for known.
describe('by any question, about any two identities', () => {
  it('what a covered allow allows, the covering one allows', () => {
    const count = proven((found) =>
      fc.property(askedAbout(twins('allow')), subject, ([wide, narrow, question], granter) => {
        if (!covers(wide, narrow) || !referenceRule(narrow, question)) return
        found()
        expect(referenceRule(wide, { ...question, subject: granter })).toBe(true)
      }))
    expect(count).toBeGreaterThan(RUNS / 10)
  })

  it('what a covered deny denies, the covering one denies', () => {
    const count = proven((found) =>
      fc.property(askedAbout(twins('deny')), subject, ([wide, narrow, question], granter) => {
        if (!coversDeny(wide, narrow) || !referenceRule(narrow, { ...question, subject: granter })) return
        found()
        expect(referenceRule(wide, question)).toBe(true)
      }))
    expect(count).toBeGreaterThan(RUNS / 10)
  })

  it('what an allow allows, a deny that is apart from it does not deny', () => {
    const pairs = twins('deny').map(([deny, near]): [Rule, Rule] => [deny, { ...near, effect: 'allow' }])
    const count = proven((found) =>
      fc.property(askedAbout(pairs), subject, ([deny, given, question], granter) => {
        if (!isDisjoint(given, deny) || !referenceRule(given, question)) return
        found()
        expect(referenceRule(deny, { ...question, subject: granter })).toBe(false)
      }))
    expect(count).toBeGreaterThan(RUNS / 10)
  })

})

// Seen to fail with an equal condition of another attribute taken for the same.
describe('by any question, about one identity', () => {
  const any = fc.constantFrom<Rule['effect']>('allow', 'deny')

  it('what a covered allow allows, its own covering rule matches, be it an allow or a deny', () => {
    const pairs = fc.tuple(twins('allow'), any).map(([[wide, narrow], effect]): [Rule, Rule] => [{ ...wide, effect }, narrow])
    const count = proven((found) =>
      fc.property(askedAbout(pairs), ([wide, narrow, question]) => {
        if (!coversOwn(wide, narrow) || !referenceRule(narrow, question)) return
        found()
        expect(referenceRule(wide, question)).toBe(true)
      }))
    expect(count).toBeGreaterThan(RUNS / 10)
  })

  it('what a covered deny denies, its own covering deny denies', () => {
    const count = proven((found) =>
      fc.property(askedAbout(twins('deny')), ([wide, narrow, question]) => {
        if (!coversOwnDeny(wide, narrow) || !referenceRule(narrow, question)) return
        found()
        expect(referenceRule(wide, question)).toBe(true)
      }))
    expect(count).toBeGreaterThan(RUNS / 10)
  })

  it('a rule covers itself, whatever it speaks of', () => {
    fc.assert(fc.property(ruleOf(any), (rule) => {
      expect(rule.effect === 'allow' ? coversOwn(rule, rule) : coversOwnDeny(rule, rule)).toBe(true)
    }), { numRuns: RUNS })
  })
})
