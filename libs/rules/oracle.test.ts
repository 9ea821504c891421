import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceDecision, type ReferenceDecision, referenceRule } from '../../test/support/reference-rules.js'
import { asked, rule, ruleOf, rules, RUNS } from '../../test/support/rule-arbitraries.js'
import { type Asked, compileRules } from './compile.js'
import { checkRules, type Rule } from './rule.js'

// Production against the rules of rules written down once more, over random rules and questions. Seen to fail with a
// missing attribute that lets a deny go, with a list of which an allow asks one element, with the least place not looked for
// in all lists, and with rules found by their start where the value is a list.

function decision(all: readonly Rule[], question: Asked): ReferenceDecision {
  const compiled = compileRules(all)
  if (compiled.first('deny', question) !== undefined) return 'denied'
  return compiled.first('allow', question) === undefined ? 'no rule' : 'allowed'
}

/** How often each answer came up, so that a property about nothing would be seen. */
function counted(property: (count: (answer: string) => void) => fc.IProperty<unknown>): Map<string, number> {
  const counts = new Map<string, number>()
  fc.assert(property((answer) => void counts.set(answer, (counts.get(answer) ?? 0) + 1)), { numRuns: RUNS })
  return counts
}

describe('random rules', () => {
  it('are rules that a role may have', () => {
    fc.assert(fc.property(rules, (all) => {
      checkRules(all, (field) => (problem) => expect.fail(`${field} ${problem}`))
    }), { numRuns: 1_000 })
  })

  it('decide as the reference does', () => {
    const counts = counted((count) =>
      fc.property(rules, asked, (all, question) => {
        const expected = referenceDecision(all, question)
        count(expected)
        expect(decision(all, question)).toBe(expected)
      }))
    for (const answer of ['allowed', 'denied', 'no rule']) expect(counts.get(answer)).toBeGreaterThan(RUNS / 20)
  })

  it('name the first rule that matches, and it alone reproduces the decision', () => {
    counted(() =>
      fc.property(rules, asked, fc.constantFrom('allow', 'deny'), (all, question, effect) => {
        const first = all.findIndex((one) => one.effect === effect && referenceRule(one, question))
        const named = compileRules(all).first(effect, question)
        expect(named).toBe(first === -1 ? undefined : first)
        const alone = named === undefined ? [] : all.slice(named, named + 1)
        expect(decision(alone, question)).toBe(named === undefined ? 'no rule' : effect === 'allow' ? 'allowed' : 'denied')
      }))
  })

  it('decide the same in any order', () => {
    const shuffled = rules.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
    counted(() => fc.property(shuffled, asked, ([all, others], question) => {
      expect(decision(others, question)).toBe(decision(all, question))
    }))
  })
})

describe('one rule more', () => {
  it('that allows never takes access away', () => {
    const counts = counted((count) =>
      fc.property(rules, ruleOf(fc.constant('allow')), asked, (all, more, question) => {
        const [before, after] = [decision(all, question), decision([...all, more], question)]
        count(`${before}, then ${after}`)
        expect([before, 'allowed']).toContain(after)
      }))
    expect(counts.get('no rule, then allowed')).toBeGreaterThan(RUNS / 200)
  })

  it('that denies never gives any', () => {
    const counts = counted((count) =>
      fc.property(rules, ruleOf(fc.constant('deny')), asked, (all, more, question) => {
        const [before, after] = [decision(all, question), decision([...all, more], question)]
        count(`${before}, then ${after}`)
        expect([before, 'denied']).toContain(after)
      }))
    expect(counts.get('allowed, then denied')).toBeGreaterThan(RUNS / 200)
  })

  it('that is there already changes nothing', () => {
    counted(() => fc.property(rules, rule, asked, (all, more, question) => {
      expect(decision([...all, more, more], question)).toBe(decision([...all, more], question))
    }))
  })
})
