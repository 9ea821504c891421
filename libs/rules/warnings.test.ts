import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceDecision, referenceRule } from '../../test/support/reference-rules.js'
import { askedOf, nearOf, rules, RUNS } from '../../test/support/rule-arbitraries.js'
import type { Condition } from './condition.js'
import type { Rule } from './rule.js'
import { warningsOf } from './warnings.js'

const allow = (...conditions: Condition[]): Rule => ({ effect: 'allow', resources: ['secrets'], actions: ['read'], conditions })
const deny = (...conditions: Condition[]): Rule => ({ ...allow(...conditions), effect: 'deny' })
const is = (attribute: string, operator: Condition['operator'], ...values: Condition['values'][number][]): Condition => ({ attribute, operator, values })

describe('is warned of', () => {
  it.each<[string, Rule[], string]>([
    ['two values at once', [allow(is('env', 'eq', 'dev'), is('env', 'eq', 'prod'))], "can never match: conditions[0] and conditions[1] can't both be met"],
    ['two paths at once', [allow(is('path', 'glob', '/a/**'), is('owner', 'eq', 'x'), is('path', 'glob', '/b/*'))], "can never match: conditions[0] and conditions[2] can't both be met"],
    ['two types at once', [allow(is('level', 'eq', 1), is('level', 'ne', 'x'))], "can never match: conditions[0] and conditions[1] can't both be met"],
    ['what is and is not there', [allow(is('env', 'exists', false), is('env', 'eq', 'dev'))], "can never match: conditions[0] and conditions[1] can't both be met"],
    ['what it wants and wants not', [allow(is('env', 'in', 'a', 'b'), is('env', 'not_in', 'b', 'a', 'c'))], "can never match: conditions[0] and conditions[1] can't both be met"],
    ['a path that no check has', [allow(is('path', 'glob', '/a//b'))], 'can never match: conditions[0] asks for a path with an empty, . or .. segment, or a / at its end, and no checked path has one'],
    ['a path that ends with /', [allow(is('path', 'in', '/a/', '/b/../c'))], 'can never match: conditions[0] asks for a path with an empty, . or .. segment, or a / at its end, and no checked path has one'],
    ['an allow that a deny hides', [allow(is('path', 'eq', '/a/b')), deny(is('path', 'glob', '/a/**'))], 'never allows anything: rules[1] denies all of it'],
    ['an allow of the same own things', [allow(is('owner', 'eq', '{{identity.id}}')), deny(is('owner', 'eq', '{{identity.id}}'))], 'never allows anything: rules[1] denies all of it'],
  ])('%s', (_what, all, message) => expect(warningsOf(all)).toEqual([{ ruleIndex: 0, message }]))

  it.each<[string, Rule[]]>([
    ['a deny of two values at once: it denies what has none', [deny(is('env', 'eq', 'dev'), is('env', 'eq', 'prod'))]],
    ['an allow of more than a deny denies', [allow(is('path', 'glob', '/a/**')), deny(is('path', 'eq', '/a/b'))]],
    ['the root', [allow(is('path', 'eq', '/'))]],
    ['names that begin with a dot', [allow(is('path', 'glob', '/.git/**'))]],
    ['one good path among others', [allow(is('path', 'in', '/a/', '/a'))]],
  ])('nothing: %s', (_what, all) => expect(warningsOf(all)).toEqual([]))
})

// Whoever makes roles chooses their rules; the answer must not keep others waiting. CPU time, ten times what was measured.
it('the worst rules are looked at soon', () => {
  const worst = (place: number) => is('path', 'glob', `${`{${','.repeat(30)}*}`.repeat(29)}${place}`)
  const all = Array.from({ length: 12 }, () => allow(...Array.from({ length: 20 }, (_, place) => worst(place))))
  const before = process.cpuUsage()
  warningsOf(all)
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1_000).toBeLessThan(1_000)
})

// Seen to fail with a deny of which one condition is enough to hide an allow.
describe('by any rules', () => {
  it('a rule that is named never does anything', () => {
    let warned = 0
    const crowded = rules.chain((all) => fc.tuple(fc.constant(all), ...all.slice(0, 3).map(nearOf))).map(([all, ...near]) => [...all.slice(0, 6), ...near.map((rule, place): Rule => ({ ...rule, effect: place % 2 === 0 ? 'allow' : 'deny' }))])
    const asking = crowded.filter((all) => all.length > 0).chain((all) => fc.tuple(fc.constant(all), fc.constantFrom(...all).chain(askedOf)))
    fc.assert(
      fc.property(asking, ([all, question]) => {
        for (const { ruleIndex, message } of warningsOf(all)) {
          const rule = all[ruleIndex]
          if (!rule) expect.fail('a rule that there is not')
          warned += 1
          if (message.startsWith('can never')) expect(referenceRule(rule, question)).toBe(false)
          else if (referenceRule(rule, question)) expect(referenceDecision(all, question)).toBe('denied')
        }
      }),
      { numRuns: RUNS },
    )
    expect(warned).toBeGreaterThan(RUNS / 20)
  })
})
