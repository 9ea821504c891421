import fc from 'fast-check'
import type { Asked } from '#libs/rules/compile.js'
import type { Condition, Operator } from '#libs/rules/condition.js'
import type { Rule } from '#libs/rules/rule.js'
import type { Subject } from '#libs/rules/template.js'
import type { Scalar, Value } from '#libs/rules/value.js'

// Random rules and questions over few words, so that they meet: every operator, every type, lists, missing attributes,
// placeholders of known and unknown keys, and values that would be globs where they are inserted.

/** At least so often each pure property is tried. */
export const RUNS = 10_000

const words = (all: readonly string[]) => fc.oneof({ weight: 5, arbitrary: fc.subarray([...all], { minLength: 1 }) }, { weight: 1, arbitrary: fc.constant(['*']) })

const ACTIONS = ['read', 'write', 'list']
const RESOURCES = ['secrets', 'orders', 'files']
const ATTRIBUTES = ['path', 'owner', 'level', 'locked', 'until', 'context.ip']

const segment = fc.constantFrom('a', 'b', 'prod', 'x*y', 'ann')
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}`)
const placeholder = fc.constantFrom('{{identity.id}}', '{{ identity.name }}', '{{identity.metadata.team}}', '{{identity.metadata.unknown}}', '{{identity.auth.sub}}')
const text = fc.oneof(path, segment)
const written = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: placeholder }, { weight: 1, arbitrary: fc.tuple(path, placeholder).map(([before, name]) => `${before}/${name}`) })
const globPart = fc.constantFrom('a', 'b', 'prod', '*', '**', 'p?od', '{a,b}', 'pr*', 'x\\*y', 'ann')
const glob = fc.oneof(
  { weight: 4, arbitrary: fc.array(globPart, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`) },
  { weight: 1, arbitrary: globPart },
  { weight: 1, arbitrary: fc.tuple(placeholder, globPart).map(([name, part]) => `/${name}/${part}`) },
)
const number = fc.constantFrom(0, 1, 2.5, -1)
const time = fc.constantFrom('2026-01-01T00:00:00.000Z', '2026-06-01T12:00:00.000Z').map((at) => ({ time: at }))
const address = fc.constantFrom('10.0.0.1', '10.1.2.3', '192.168.0.9', '2001:db8:0:0:0:0:0:1')
const subnet = fc.constantFrom('10.0.0.0/8', '10.0.0.0/24', '10.0.0.1', '192.168.0.0/16', '0.0.0.0/0', '2001:db8:0:0:0:0:0:0/32')

const many = <Of>(of: fc.Arbitrary<Of>): fc.Arbitrary<Of[]> => fc.array(of, { minLength: 1, maxLength: 3 })
const one = <Of>(of: fc.Arbitrary<Of>): fc.Arbitrary<Of[]> => of.map((value) => [value])

/** Values of one type. */
const valuesOf = (count: <Of>(of: fc.Arbitrary<Of>) => fc.Arbitrary<Of[]>): fc.Arbitrary<readonly Scalar[]> =>
  fc.oneof(
    { weight: 5, arbitrary: count(written) },
    { weight: 1, arbitrary: count(number) },
    { weight: 1, arbitrary: count(fc.boolean()) },
    { weight: 1, arbitrary: count(time) },
  )

function valuesFor(operator: Operator): fc.Arbitrary<readonly Scalar[]> {
  if (operator === 'exists') return one(fc.boolean())
  if (operator === 'cidr') return many(subnet)
  if (operator === 'glob' || operator === 'not_glob') return one(glob)
  return operator === 'in' || operator === 'not_in' ? valuesOf(many) : valuesOf(one)
}

const attributeName = fc.oneof({ weight: 3, arbitrary: fc.constant('path') }, { weight: 4, arbitrary: fc.constantFrom(...ATTRIBUTES) })
const operatorName = fc.constantFrom<Operator[]>('eq', 'ne', 'in', 'not_in', 'glob', 'glob', 'not_glob', 'cidr', 'exists')

export const condition: fc.Arbitrary<Condition> = fc
  .tuple(attributeName, operatorName)
  .chain(([attribute, operator]) => valuesFor(operator).map((values) => ({ attribute, operator, values })))

export const ruleOf = (effect: fc.Arbitrary<Rule['effect']>): fc.Arbitrary<Rule> =>
  fc.record({ effect, resources: words(RESOURCES), actions: words(ACTIONS), conditions: fc.array(condition, { maxLength: 3 }) })

export const rule = ruleOf(fc.constantFrom('allow', 'allow', 'deny'))

/** Of one action and resource, and so many that they are looked up by how the paths begin that they compare. */
const crowd: fc.Arbitrary<Rule[]> = fc.array(
  fc.record({
    effect: fc.constantFrom('allow', 'deny'),
    resources: fc.constant(['secrets']),
    actions: fc.constant(['read']),
    conditions: fc.array(condition.map((one) => (one.operator === 'cidr' ? one : { ...one, attribute: 'path' })), { minLength: 1, maxLength: 2 }),
  }),
  { minLength: 16, maxLength: 24 },
)

/** With so many words that they are not looked up by them. */
const wordy: fc.Arbitrary<Rule> = rule.map((one) => ({ ...one, actions: [...ACTIONS, 'a', 'b'], resources: [...RESOURCES, 'c', 'd'] }))

export const rules: fc.Arbitrary<Rule[]> = fc.oneof(fc.array(fc.oneof({ weight: 5, arbitrary: rule }, { weight: 1, arbitrary: wordy }), { maxLength: 6 }), fc.array(rule, { minLength: 20, maxLength: 40 }), crowd)

const scalar: fc.Arbitrary<Scalar> = fc.oneof({ weight: 6, arbitrary: text }, { weight: 2, arbitrary: address }, number, fc.boolean(), time)

const list: fc.Arbitrary<readonly Scalar[]> = fc.oneof(fc.array(text, { maxLength: 3 }), fc.array(number, { maxLength: 2 }), fc.array(address, { maxLength: 2 }))

const value: fc.Arbitrary<Value> = fc.oneof({ weight: 5, arbitrary: scalar }, { weight: 1, arbitrary: list })

export const subject: fc.Arbitrary<Subject> = fc.record({
  id: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('ann', '*', '**', '{a,b}'),
  metadata: fc.constantFrom(new Map<string, string>(), new Map([['team', 'a']]), new Map([['team', '*']]), new Map([['team', 'a/b']])),
  auth: fc.constantFrom(new Map<string, string>(), new Map([['sub', 'b']])),
})

/** What a placeholder often becomes. */
const filled = (written: string): string => written.replace(/\{\{\s*identity\.(\w+)[^}]*\}\}/g, (_whole, of: string) => ({ id: 'a', name: 'ann', metadata: 'a', auth: 'b' })[of] ?? '')

const sampleOf = (pattern: string): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom('a', 'a/b', 'prod', ''), fc.constantFrom('a', 'x', 'od', ''), fc.constantFrom('a', 'r')).map(([any, some, one]) =>
    filled(pattern).replace(/\\(.)|\*\*|\*|\?|\{([^,}]*)[^}]*\}/g, (token, escaped?: string, part?: string) => escaped ?? part ?? (token === '**' ? any : token === '*' ? some : one)))

function fittingValue({ operator, values }: Condition): fc.Arbitrary<Value> {
  const [first] = values
  if (operator === 'glob' && typeof first === 'string') return fc.oneof(sampleOf(first), value)
  if (operator === 'eq' || operator === 'in') return fc.oneof(fc.constantFrom(...values.map((one) => (typeof one === 'string' ? filled(one) : one))), value)
  return operator === 'cidr' ? fc.oneof(address, value) : value
}

/** Questions that the rule often has an answer to. */
export const askedOf = ({ actions, resources, conditions }: Rule): fc.Arbitrary<Asked> =>
  fc
    .tuple(asked, fc.constantFrom(...actions), fc.constantFrom(...resources), fc.tuple(...conditions.map(fittingValue)))
    .map(([question, action, resource, values]) => ({
      ...question,
      action: action === '*' ? question.action : action,
      resource: resource === '*' ? question.resource : resource,
      attributes: new Map([...question.attributes, ...conditions.flatMap(({ attribute, operator }, place): [string, Value][] => {
        const fitting = values[place]
        return fitting === undefined || operator === 'exists' ? [] : [[attribute, fitting]]
      })]),
    }))

/** As the rule, with words and conditions taken away and others added, mostly about the same attributes. */
export const nearOf = (rule: Rule): fc.Arbitrary<Rule> =>
  fc
    .record({
      resources: rule.resources.includes('*') ? fc.constantFrom(['*'], ['secrets'], ['orders']) : fc.subarray([...rule.resources], { minLength: 1 }),
      actions: rule.actions.includes('*') ? fc.constantFrom(['*'], ['read'], ['write']) : fc.subarray([...rule.actions], { minLength: 1 }),
      kept: fc.subarray([...rule.conditions]),
      more: fc.tuple(...rule.conditions.map(nearCondition)),
      others: fc.array(condition, { maxLength: 1 }),
    })
    .map(({ resources, actions, kept, more, others }) => ({ effect: rule.effect, resources, actions, conditions: [...kept, ...more.flat(), ...others] }))

const nearCondition = ({ attribute, operator, values }: Condition): fc.Arbitrary<readonly Condition[]> =>
  fc.oneof(
    fc.constant([]),
    operatorName.chain((other) => valuesFor(other).map((wanted) => [{ attribute, operator: other, values: wanted }])),
    valuesFor(operator).map((wanted) => [{ attribute, operator, values: wanted }]),
    placeholder.map((name) => values.filter((one) => typeof one === 'string').slice(0, 1).map((one) => ({ attribute, operator, values: [`${one}${operator === 'cidr' ? '' : name}`] }))),
    placeholder.map((name) => (operator === 'eq' || operator === 'ne' ? [{ attribute, operator, values: [name] }] : [])),
    fc.constant(operator === 'in' ? [{ attribute, operator: 'eq' as const, values: values.slice(0, 1) }] : []),
    fc.constant(operator === 'ne' || operator === 'eq' ? [{ attribute, operator: operator === 'eq' ? ('ne' as const) : ('eq' as const), values }] : []),
  )

export const asked: fc.Arbitrary<Asked> = fc.record({
  action: fc.constantFrom('read', ...ACTIONS, 'unheard-of'),
  resource: fc.constantFrom('secrets', ...RESOURCES, 'unheard-of'),
  attributes: fc.array(fc.tuple(attributeName, value), { maxLength: 6 }).map((pairs) => new Map(pairs)),
  subject,
})
