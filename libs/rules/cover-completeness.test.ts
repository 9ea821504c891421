import fc from 'fast-check'
import { expect, it } from 'vitest'
import { referenceRule } from '../../test/support/reference-rules.js'
import { covers } from './cover.js'
import type { Condition } from './condition.js'
import type { Rule } from './rule.js'

// How much of what is so is proven: over rules like those that people write, each pair is asked many questions; a pair for
// which none of them speaks against the cover counts as covered in truth. What is missed is refused to a granter who holds it.

const rule = (resources: string, actions: string, ...conditions: Condition[]): Rule => ({ effect: 'allow', resources: resources.split(','), actions: actions.split(','), conditions })
const is = (attribute: string, operator: Condition['operator'], ...values: Condition['values'][number][]): Condition => ({ attribute, operator, values })
const path = (...globs: string[]): Condition => is('path', 'glob', ...globs)

/** Of teams, pipelines, operators on call, auditors, tenants, and of those who were given a little at a time. */
const CORPUS: readonly Rule[] = [
  rule('*', '*'),
  rule('*', 'read,list'),
  rule('secrets', 'read,list,write,delete'),
  rule('secrets', 'read'),
  rule('secrets', 'read', path('/**')),
  rule('secrets', 'read', path('/prod/**')),
  rule('secrets', 'read', path('/prod/web/**')),
  rule('secrets', 'read', path('/prod/{web,api}/**')),
  rule('secrets', 'read', path('/prod/*/config')),
  rule('secrets', 'read', is('path', 'eq', '/prod/web/config')),
  rule('secrets', 'read', is('path', 'in', '/prod/web/config', '/prod/api/config')),
  rule('secrets', 'read,write', path('/{dev,test}/**')),
  rule('secrets', 'read', path('/dev/**')),
  rule('secrets', 'read', is('path', 'not_glob', '/prod/**')),
  rule('secrets', 'read', is('path', 'not_glob', '/prod/**'), is('path', 'not_glob', '/test/**')),
  rule('secrets', 'read', is('env', 'eq', 'prod')),
  rule('secrets', 'read', is('env', 'in', 'dev', 'test')),
  rule('secrets', 'read', is('env', 'in', 'dev', 'test', 'prod')),
  rule('secrets', 'read', is('env', 'ne', 'prod')),
  rule('secrets', 'read', is('env', 'not_in', 'prod', 'test')),
  rule('secrets', 'read', is('env', 'exists', true)),
  rule('secrets', 'read', is('env', 'eq', 'prod'), path('/prod/web/**')),
  rule('secrets', 'read', is('env', 'eq', 'prod'), path('/prod/web/**'), is('context.ip', 'cidr', '10.0.0.0/8')),
  rule('secrets', 'read', is('context.ip', 'cidr', '10.0.0.0/8')),
  rule('secrets', 'read', is('context.ip', 'cidr', '10.1.0.0/16', '10.2.0.0/16')),
  rule('secrets', 'read', is('context.ip', 'eq', '10.1.2.3')),
  rule('orders', 'read', is('amount', 'in', 1, 2)),
  rule('orders', 'read', is('amount', 'eq', 1)),
  rule('orders', 'read', is('amount', 'ne', 3)),
  rule('orders', 'read', is('open', 'eq', true)),
  rule('orders', 'read', is('open', 'ne', false)),
  rule('files', 'read', path('/home/**')),
  rule('files', 'read', path('/home/{{identity.name}}/**')),
  rule('files', 'read', is('owner', 'eq', '{{identity.id}}')),
  rule('files', 'read', is('owner', 'exists', true)),
  rule('files', 'read', path('/home/*/public/**')),
  rule('files', 'read', path('/**/public/**')),
]

const PATHS = ['/', '/dev', '/dev/a', '/test/a', '/prod', '/prod/web', '/prod/web/config', '/prod/web/x/y', '/prod/api/config', '/prod/db/config', '/prod/api/x', '/home/ann/x', '/home/bob/public/x', '/a/public/b', '/x', 'x']
const value = <Of>(...all: Of[]) => fc.option(fc.constantFrom(...all), { nil: undefined })
const question = fc
  .record({
    path: value<string | number>(...PATHS, 5),
    env: value<string | number>('dev', 'test', 'prod', 'stage', 1),
    'context.ip': value('10.1.2.3', '10.2.0.9', '10.9.9.9', '192.168.0.1', 'nowhere'),
    amount: value<string | number>(1, 2, 3, 4, '1'),
    open: value<string | boolean>(true, false, 'true'),
    owner: value('01', '02'),
    name: fc.constantFrom('ann', 'bob', '*', 'a/b'),
  })
  .map(({ name, ...attributes }) => ({
    subject: { id: '01', name, metadata: new Map<string, string>(), auth: new Map<string, string>() },
    attributes: new Map(Object.entries(attributes).flatMap(([key, given]) => (given === undefined ? [] : [[key, given] as const]))),
  }))

it('proves most of what is so, and nothing that is not', () => {
  const questions = fc.sample(question, { numRuns: 3_000, seed: 7 })
  const granter = { id: '02', name: 'carol', metadata: new Map<string, string>(), auth: new Map<string, string>() }
  const verdicts = CORPUS.flatMap((wide) =>
    CORPUS.map((narrow) => {
      const asked = ['secrets', 'orders', 'files', 'other'].flatMap((resource) => ['read', 'list', 'write', 'delete', 'other'].map((action) => ({ resource, action })))
        .filter(({ resource, action }) => (narrow.resources.includes('*') || narrow.resources.includes(resource)) && (narrow.actions.includes('*') || narrow.actions.includes(action)))
      const refuted = asked.some((about) =>
        questions.some((one) => referenceRule(narrow, { ...one, ...about }) && !referenceRule(wide, { ...one, ...about, subject: granter })))
      return { wide, narrow, isSo: !refuted, isProven: covers(wide, narrow) }
    }))
  expect(verdicts.filter(({ isSo, isProven }) => isProven && !isSo)).toEqual([])
  const [so, missed] = [verdicts.filter(({ isSo }) => isSo), verdicts.filter(({ isSo, isProven }) => isSo && !isProven)]
  process.stdout.write(`cover proves ${so.length - missed.length} of ${so.length} pairs that are so, among ${verdicts.length}\n`)
  expect(so.length).toBeGreaterThan(150)
  // What it misses is named, so that more of it is seen.
  const short = ({ resources, actions, conditions }: Rule) => `${actions.join()} ${resources.join()} ${conditions.map(({ attribute, operator, values }) => `${attribute} ${operator} ${values.map(String).join()}`).join(' and ')}`
  expect(missed.map(({ wide, narrow }) => `${short(wide)} <- ${short(narrow)}`)).toEqual([])
}, 120_000)
