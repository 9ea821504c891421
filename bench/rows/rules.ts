import { createMongoAbility, subject as typed } from '@casl/ability'
import picomatch from 'picomatch'
import { type Asked, compileRules } from '#libs/rules/compile.js'
import type { Rule } from '#libs/rules/rule.js'
import { referenceDecision } from '../../test/support/reference-rules.js'
import type { Probe, ProbeSize } from '../row.js'
import { median } from '../statistics.js'

// Decisions in this process, on policies like those of other engines' comparisons: roles of ten rules, each about an action,
// an environment and a path glob; half of the questions are allowed. The engines take turns, and every answer is compared.

const ACTIONS = ['read', 'list', 'write', 'delete', 'rotate']
const ENVIRONMENTS = ['dev', 'test', 'prod']
const SUBJECT = { id: '01900000-0000-7000-8000-000000000000', name: 'bench', metadata: new Map<string, string>(), auth: new Map<string, string>() }

const ruleAt = (role: number, place: number): Rule => ({
  effect: place % 10 === 9 ? 'deny' : 'allow',
  resources: ['secrets'],
  actions: [ACTIONS[place % ACTIONS.length] ?? ''],
  conditions: [
    { attribute: 'env', operator: 'eq', values: [ENVIRONMENTS[(role + place) % ENVIRONMENTS.length] ?? ''] },
    { attribute: 'path', operator: 'glob', values: [`/team-${role}/app-${place}/**`] },
  ],
})

const rolesOf = (roles: number, rules: number): Rule[][] =>
  Array.from({ length: roles }, (_role, role) => Array.from({ length: rules }, (_rule, place) => ruleAt(role, place)))

type Question = { readonly role: number; readonly asked: Asked; readonly attributes: { readonly env: string; readonly path: string } }

/** Every other one asks what a rule allows, the others something near. */
function questionsOf(roles: readonly (readonly Rule[])[], count: number): Question[] {
  return Array.from({ length: count }, (_question, number) => {
    const role = number % roles.length
    const place = Math.floor(number / 2) % (roles[role]?.length ?? 1)
    const { actions, conditions } = ruleAt(role, place)
    const [env] = conditions[0]?.values ?? []
    const attributes = { env: typeof env === 'string' ? env : '', path: number % 2 === 0 ? `/team-${role}/app-${place}/db/password` : `/team-${role}/other-${place}/db/password` }
    return { role, attributes, asked: { action: actions[0] ?? '', resource: 'secrets', attributes: new Map(Object.entries(attributes)), subject: SUBJECT } }
  })
}

type Engine = { readonly name: string; readonly run: (round: number) => number; readonly perRun: number }

function ourEngine(name: string, roles: readonly (readonly Rule[])[], questions: readonly Question[], all: boolean): Engine {
  const compiled = roles.map((rules) => compileRules(rules))
  const isAllowed = ({ role, asked }: Question) => {
    const held = all ? compiled : compiled.slice(role, role + 1)
    return !held.some((rules) => rules.first('deny', asked) !== undefined) && held.some((rules) => rules.first('allow', asked) !== undefined)
  }
  return engineOf(name, questions, isAllowed, (question) => referenceDecision(all ? roles.flat() : (roles[question.role] ?? []), question.asked) === 'allowed')
}

function caslEngine(name: string, roles: readonly (readonly Rule[])[], questions: readonly Question[]): Engine {
  const abilities = roles.map((rules) =>
    createMongoAbility(
      [...rules.filter(({ effect }) => effect === 'allow'), ...rules.filter(({ effect }) => effect === 'deny')].map(({ effect, actions, resources, conditions }) => ({
        action: [...actions],
        subject: [...resources],
        inverted: effect === 'deny',
        conditions: Object.fromEntries(conditions.map(({ attribute, operator, values: [value] }) => [attribute, operator === 'glob' ? { $regex: picomatch.makeRe(typeof value === 'string' ? value : '', { dot: true }) } : { $eq: value }])),
      })),
    ),
  )
  const isAllowed = ({ role, asked: { action, resource }, attributes }: Question) => abilities[role]?.can(action, typed(resource, { ...attributes })) === true
  return engineOf(name, questions, isAllowed, ({ role, asked }) => referenceDecision(roles[role] ?? [], asked) === 'allowed')
}

function engineOf(name: string, questions: readonly Question[], isAllowed: (question: Question) => boolean, expected: (question: Question) => boolean): Engine {
  const wrong = questions.filter((question) => isAllowed(question) !== expected(question))
  if (wrong.length > 0) throw new Error(`${name} answers ${wrong.length} of ${questions.length} questions wrongly`)
  const run = () => questions.reduce((allowed, question) => allowed + (isAllowed(question) ? 1 : 0), 0)
  return { name, run, perRun: questions.length }
}

function compiling(name: string, roles: readonly (readonly Rule[])[]): Engine {
  return { name, run: () => roles.filter((rules) => compileRules(rules).first('deny', { action: '', resource: '', attributes: new Map(), subject: SUBJECT }) === undefined).length, perRun: roles.length }
}

const ROUNDS = 9
/** Of what a probe may take, for each engine in each round. */
const PHASE_SHARE = 1 / 60

/** Nanoseconds of CPU time for each engine, the median of rounds in which they took turns. */
function measured(engines: readonly Engine[], phaseMillis: number): Map<string, number> {
  const samples = new Map(engines.map(({ name }): [string, number[]] => [name, []]))
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const engine of engines) {
      const [started, before] = [performance.now(), process.cpuUsage()]
      let runs = 0
      while (performance.now() - started < phaseMillis) {
        engine.run(round)
        runs += 1
      }
      const { user, system } = process.cpuUsage(before)
      // The first round is for the compiler.
      if (round > 0) samples.get(engine.name)?.push(((user + system) * 1_000) / (runs * engine.perRun))
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]))
}

function measureAll({ millis }: ProbeSize): Map<string, number> {
  const [twenty, five] = [rolesOf(20, 10), rolesOf(5, 100)]
  const engines = [
    ourEngine('rules.20x10', twenty, questionsOf(twenty, 512), false),
    caslEngine(CASL, twenty, questionsOf(twenty, 512)),
    ourEngine('rules.500', five, questionsOf(five, 512), true),
    compiling('rules.compile', twenty),
  ]
  return measured(engines, millis * PHASE_SHARE)
}

const CASL = 'peer.casl.20x10'

/** All rows are of one measurement. */
let results: Map<string, number> | undefined

const probeOf = (name: string, bars: Probe['bars'] = []): Probe => ({
  name,
  bars,
  measure: (_system, size) => {
    results ??= measureAll(size)
    const [nanos = NaN, casl = NaN] = [results.get(name), results.get(CASL)]
    return Promise.resolve({ nanos, ratioToCasl: nanos / casl })
  },
})

/** A role of ten rules; CASL's ability of the same role, built before; five roles of a hundred rules; ten rules made ready. */
export const rulesProbes: readonly Probe[] = [
  probeOf('rules.20x10', [{ says: '≤ 0.4 × CASL', isMet: ({ ratioToCasl = NaN }) => ratioToCasl <= 0.4 }, { says: '≤ 200 ns, the aim', isMet: ({ nanos = NaN }) => nanos <= 200 }]),
  probeOf(CASL),
  probeOf('rules.500'),
  probeOf('rules.compile'),
]
