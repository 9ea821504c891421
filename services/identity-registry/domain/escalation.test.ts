import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Condition } from '#libs/rules/condition.js'
import type { Asked } from '#libs/rules/compile.js'
import type { Rule } from '#libs/rules/rule.js'
import { referenceRule } from '../../../test/support/reference-rules.js'
import { askedOf, nearOf, rule as anyRule, RUNS, subject } from '../../../test/support/rule-arbitraries.js'
import { type HeldRule, type Holdings, mayGrant, missingRules, NOTHING } from './escalation.js'

const NOW = new Date('2026-06-01T00:00:00Z')
const day = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000)

const rule = (effect: Rule['effect'], action: string, ...conditions: Condition[]): Rule => ({ effect, resources: ['secrets'], actions: [action], conditions })
const path = (...globs: string[]): Condition => ({ attribute: 'path', operator: 'glob', values: globs })
const allow = (action: string, ...conditions: Condition[]): HeldRule => held(rule('allow', action, ...conditions))
const deny = (action: string, ...conditions: Condition[]): HeldRule => held(rule('deny', action, ...conditions))
const held = (of: Rule): HeldRule => ({ role: 'some-role', rule: of, startTime: null, endTime: null })
const between = (start: number | null, end: number | null, of: HeldRule): HeldRule => ({ ...of, startTime: start === null ? null : day(start), endTime: end === null ? null : day(end) })

const all = (...rules: HeldRule[]): Holdings => ({ held: rules, besides: [] })

type Given = { readonly granter?: readonly HeldRule[]; readonly before?: Holdings; readonly after: Holdings; readonly renamed?: boolean }

const obstacles = ({ granter = [], before = NOTHING, after, renamed = false }: Given): string[] =>
  missingRules({ granter, before, after, renamed, now: NOW }).map(({ obstacle }) => obstacle)

// Each line of the guard was taken out once, and the rows that failed then are named in docs/decisions/0007-the-escalation-guard.md.
describe('a change may give', () => {
  it.each<[string, Given]>([
    ['what the granter holds', { granter: [allow('read')], after: all(allow('read')) }],
    ['less than one rule of the granter allows', { granter: [allow('*')], after: all(allow('read', path('/a/**'))) }],
    ['what was held before', { before: all(allow('read')), after: all(allow('read')) }],
    ['less than was held before', { before: all(allow('read')), after: all(allow('read', path('/a/**'))) }],
    ['nothing', { before: all(allow('read')), after: NOTHING }],
    ['another deny', { before: all(allow('read')), after: all(allow('read'), deny('read')) }],
    ['what is over already', { after: all(between(null, 0, allow('read'))) }],
    ['what the granter holds for as long', { granter: [between(null, 9, allow('read'))], after: all(between(1, 9, allow('read'))) }],
    ['what began before, of which the granter holds the rest', { granter: [between(-1, 9, allow('read'))], after: all(between(-5, 9, allow('read'))) }],
    ['a shorter time than before', { before: all(between(null, 9, allow('read'))), after: all(between(2, 5, allow('read'))) }],
    ['what no deny of the granter is about', { granter: [allow('*'), deny('write'), deny('*', path('/b/**'))], after: all(allow('read', path('/a/**'))) }],
    ['what a deny of the granter is about, to whoever has the same', { granter: [allow('read'), deny('read', path('/b/**'))], after: all(allow('read'), deny('read', path('/b/**'))) }],
    ['or a wider one', { granter: [allow('read'), deny('read', path('/b/x'))], after: all(allow('read'), deny('read', path('/b/**'))) }],
    ['what a deny of the granter is about that is over by then', { granter: [allow('read'), between(null, 3, deny('read'))], after: all(between(3, 9, allow('read'))) }],
    ['a deny away that another one covers', { before: all(allow('read'), deny('read', path('/b/x'))), after: all(allow('read'), deny('read', path('/b/**'))) }],
    ['a deny away that nothing was held beneath', { before: all(allow('write'), deny('read')), after: all(allow('write')) }],
    ['a deny away by whoever holds what it denied', { granter: [allow('read')], before: all(allow('read'), deny('read')), after: all(allow('read')) }],
    ['another name that no rule speaks of', { before: all(allow('read', path('/a'))), after: all(allow('read', path('/a'))), renamed: true }],
    ['to some what they hold besides', { before: { held: [], besides: [allow('read')] }, after: { held: [], besides: [allow('read')] } }],
  ])('%s', (_what, given) => expect(obstacles(given)).toEqual([]))
})

describe('a change may not give', () => {
  it.each<[string, string, Given]>([
    ['what the granter does not hold', 'not-held', { after: all(allow('read')) }],
    ['more than one rule of the granter allows', 'not-held', { granter: [allow('read', path('/a/**'))], after: all(allow('read')) }],
    ['what only two rules of the granter together allow', 'not-held', { granter: [allow('read', path('/a/**')), allow('read', path('/b/**'))], after: all(allow('read', path('/{a,b}/**'))) }],
    ['what the granter holds for itself', 'not-held', { granter: [allow('read', path('/{{identity.name}}'))], after: all(allow('read', path('/{{identity.name}}'))) }],
    ['what the recipient’s name can become', 'not-held', { granter: [allow('read', path('/home/*'))], after: all(allow('read', path('/home/{{identity.name}}'))) }],
    ['what the granter held once', 'not-held', { granter: [between(null, 0, allow('read'))], after: all(allow('read')) }],
    ['more than was held before', 'not-held', { before: all(allow('read', path('/a/**'))), after: all(allow('read')) }],
    ['what others hold besides', 'not-held', { before: { held: [], besides: [allow('read')] }, after: { held: [allow('read')], besides: [allow('read')] } }],
    ['for longer than the granter has', 'not-for-so-long', { granter: [between(null, 9, allow('read'))], after: all(between(null, 10, allow('read'))) }],
    ['for ever what the granter has for a time', 'not-for-so-long', { granter: [between(null, 9, allow('read'))], after: all(allow('read')) }],
    ['now what the granter gets later', 'not-for-so-long', { granter: [between(1, null, allow('read'))], after: all(allow('read')) }],
    ['for longer than before', 'not-for-so-long', { granter: [between(null, 5, allow('read'))], before: all(between(null, 5, allow('read'))), after: all(between(null, 6, allow('read'))) }],
    ['a time of which the granter has two halves', 'not-for-so-long', { granter: [between(null, 5, allow('read')), between(5, null, allow('read'))], after: all(allow('read')) }],
    ['what a deny of the granter denies', 'denied', { granter: [allow('*'), deny('read')], after: all(allow('read')) }],
    ['what a deny of the granter denies some of', 'denied', { granter: [allow('read'), deny('read', path('/b/**'))], after: all(allow('read')) }],
    ['what a deny of the granter will deny', 'denied', { granter: [allow('read'), between(5, null, deny('read'))], after: all(allow('read')) }],
    ['what the recipient has a lesser deny for', 'denied', { granter: [allow('read'), deny('read', path('/b/**'))], after: all(allow('read'), deny('read', path('/b/x'))) }],
    ['what the recipient has a shorter deny for', 'denied', { granter: [allow('read'), deny('read')], after: all(allow('read'), between(null, 5, deny('read'))) }],
    ['what only some have the deny for', 'denied', { granter: [allow('read'), deny('read')], after: { held: [allow('read')], besides: [deny('read')] } }],
    ['a deny away above what is held', 'not-held', { before: all(allow('read'), deny('read', path('/b/**'))), after: all(allow('read')) }],
    ['a deny away that also denied the granter', 'denied', { granter: [allow('read'), deny('read')], before: all(allow('read'), deny('read')), after: all(allow('read')) }],
    ['a deny an earlier end', 'not-held', { before: all(allow('read'), deny('read')), after: all(allow('read'), between(null, 5, deny('read'))) }],
    ['a deny away above what some hold besides', 'not-held', { before: { held: [deny('read')], besides: [allow('read')] }, after: { held: [], besides: [allow('read')] } }],
    ['another name that an allow speaks of', 'not-held', { before: all(allow('read', path('/{{ identity.name }}'))), after: all(allow('read', path('/{{ identity.name }}'))), renamed: true }],
    ['another name that a deny speaks of', 'not-held', { before: all(allow('read'), deny('read', path('/{{identity.name}}'))), after: all(allow('read'), deny('read', path('/{{identity.name}}'))), renamed: true }],
  ])('%s (%s)', (_what, obstacle, given) => expect(obstacles(given)).toEqual([obstacle]))

  it('and every rule of it that is missing is named, with its role and window', () => {
    const given = [between(1, 2, allow('read')), allow('write'), deny('list')]
    expect(missingRules({ granter: [], before: NOTHING, after: all(...given), renamed: false, now: NOW })).toEqual([
      { ...given[0], obstacle: 'not-held' },
      { ...given[1], obstacle: 'not-held' },
    ])
  })
})

const window = fc.tuple(fc.constantFrom(null, null, -1, 1, 3), fc.constantFrom(null, null, 0, 2, 4)).filter(([start, end]) => start === null || end === null || start < end)
const heldOf = (rules: fc.Arbitrary<Rule>): fc.Arbitrary<HeldRule> => fc.tuple(rules, window).map(([one, [start, end]]) => between(start, end, held(one)))
const few = (rules: fc.Arbitrary<Rule>) => fc.array(heldOf(rules), { maxLength: 3 })

/** What is allowed at a time, by the plain reading of the rules. */
const isAllowed = (rules: readonly HeldRule[], question: Asked, at: Date): boolean => {
  const current = rules.filter(({ startTime, endTime }) => (startTime === null || startTime <= at) && (endTime === null || at < endTime))
  const matching = current.filter((one) => referenceRule(one.rule, question))
  return matching.some((one) => one.rule.effect === 'allow') && !matching.some((one) => one.rule.effect === 'deny')
}

const everything: HeldRule = held({ effect: 'allow', resources: ['*'], actions: ['*'], conditions: [] })

/** A granter, a recipient before and after, and a question that one of its rules often answers; rules are near to each other. */
const change = anyRule.chain((seed) => {
  const near = fc.oneof(nearOf(seed), nearOf({ ...seed, effect: 'allow' }), nearOf({ ...seed, effect: 'deny' }), fc.constant(seed))
  return fc.record({
    granter: fc.tuple(few(near), fc.constantFrom([], [everything], [everything])).map(([some, more]) => [...some, ...more]),
    before: few(near),
    kept: fc.boolean(),
    given: few(near),
    besides: few(near),
    question: askedOf(seed),
    granterIs: subject,
    formerly: subject,
    renamed: fc.boolean(),
    at: fc.constantFrom(0, 1, 2, 3, 5),
  })
})

// Nobody gets what the granter has not, whatever the question: 10 000 times, of which so many gave something.
it('what passes gives nobody at any time what the granter would be denied then', () => {
  let gave = 0
  fc.assert(
    fc.property(change, ({ granter, before, kept, given, besides, question, granterIs, formerly, renamed, at }) => {
      const after = kept ? [...before, ...given] : given
      const holdings = { before: { held: before, besides }, after: { held: after, besides } }
      if (missingRules({ granter, ...holdings, renamed, now: NOW }).length > 0) return
      const was: Asked = renamed ? { ...question, subject: { ...question.subject, name: formerly.name } } : question
      // Some hold all of what is held besides, others nothing of it.
      for (const more of [besides, []]) {
        if (renamed && more.length > 0) continue
        const gets = isAllowed([...after, ...more], question, day(at)) && !isAllowed([...before, ...more], was, day(at))
        if (!gets) continue
        gave += 1
        expect(isAllowed(granter, { ...question, subject: granterIs }, day(at))).toBe(true)
      }
    }),
    { numRuns: RUNS * 3 },
  )
  expect(gave).toBeGreaterThan(RUNS / 20)
})

// Whoever makes roles chooses their rules, and the answer must not keep others waiting. CPU time, ten times what was measured.
describe('the largest roles', () => {
  const millisOf = (work: () => unknown): number => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  }
  const many = (conditions: (place: number) => Condition[]): HeldRule[] => Array.from({ length: 100 }, (_, place) => allow('read', ...conditions(place)))
  const literals = (place: number): Condition[] => [{ attribute: 'path', operator: 'in', values: Array.from({ length: 100 }, (_, at) => `/team-${place}/service-${at}/config`) }]
  const globs = (place: number): Condition[] => [path(`/x/team-${place}/{dev,test}/**`)]
  const worst = (place: number): Condition[] => Array.from({ length: 20 }, (_, at) => path(`${`{${','.repeat(30)}*}`.repeat(29)}${place * 20 + at}`))

  it.each<[string, (place: number) => Condition[], number]>([['of texts', literals, 0], ['of globs', globs, 0], ['of the worst globs', worst, 100]])('%s are judged soon', (_what, conditions, refused) => {
    const [granter, given] = [many(conditions), many(conditions)]
    expect(millisOf(() => expect(missingRules({ granter, before: NOTHING, after: all(...given), renamed: false, now: NOW })).toHaveLength(refused))).toBeLessThan(2_000)
  })
})

describe('the action grant', () => {
  const granted = { resource: 'binding', attributes: { 'identity.id': 'x' } }
  const about = { granted, subject: { id: 'me', name: 'ann', metadata: new Map<string, string>(), auth: new Map<string, string>() }, now: NOW }
  const grant = (effect: Rule['effect'], ...conditions: Condition[]): HeldRule => held({ effect, resources: ['binding'], actions: ['grant'], conditions })
  const onX: Condition = { attribute: 'identity.id', operator: 'eq', values: ['x'] }

  it.each<[boolean, string, readonly HeldRule[]]>([
    [true, 'a rule that allows it', [grant('allow')]],
    [true, 'a rule that allows everything', [held({ effect: 'allow', resources: ['*'], actions: ['*'], conditions: [] })]],
    [true, 'a rule that allows it on this identity', [grant('allow', onX)]],
    [true, 'a rule for one’s own name', [grant('allow', { attribute: 'identity.id', operator: 'ne', values: ['{{identity.id}}'] })]],
    [false, 'no rule', []],
    [false, 'a rule about another resource', [held({ effect: 'allow', resources: ['role'], actions: ['grant'], conditions: [] })]],
    [false, 'a rule that is over', [between(null, 0, grant('allow'))]],
    [false, 'a rule that begins later', [between(1, null, grant('allow'))]],
    [false, 'a deny beside it', [grant('allow'), grant('deny', onX)]],
    [false, 'a rule that speaks of what is not known of the caller', [grant('allow', { attribute: 'identity.id', operator: 'ne', values: ['{{identity.metadata.team}}'] })]],
  ])('is held: %s, with %s', (expected, _what, rules) => expect(mayGrant(rules, about)).toBe(expected))
})
