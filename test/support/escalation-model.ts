import type { Asked } from '#libs/rules/compile.js'
import type { Rule } from '#libs/rules/rule.js'
import { referenceRule } from './reference-rules.js'

// A small model of who holds what, by the plain reading of the rules and without a word of how the guard proves anything. All
// that can be asked are a few questions in two scopes at a few moments, so that permissions are sets.

export const SCOPES = ['', 'project'] as const
export type Scope = (typeof SCOPES)[number]

export const HOUR = 3_600_000
/** Moments that are asked about, in hours from now; the last is far. */
const AHEAD = [0, 1, 2, 4, 1_000]
const PLACES = SCOPES.flatMap((scope) => AHEAD.map((hours) => ({ scope, hours })))

export type BoundRole = { readonly roleId: string; readonly start: number | null; readonly end: number | null }
type Bound = { readonly bindingId: string; readonly roles: readonly BoundRole[] }

export type ModelIdentity = { readonly name: string; readonly active: boolean; readonly bound: ReadonlyMap<Scope, Bound> }
export type ModelRole = { readonly scope: Scope; readonly rules: readonly Rule[] }

/** Nothing in it ever changes: a step makes another one. */
export type Model = {
  /** In milliseconds since 1970. */
  readonly now: number
  readonly identities: ReadonlyMap<string, ModelIdentity>
  readonly roles: ReadonlyMap<string, ModelRole>
}

type Question = Pick<Asked, 'action' | 'resource' | 'attributes'>

const asked = (action: string, resource: string, path?: string): Question =>
  ({ action, resource, attributes: new Map<string, string>(path === undefined ? [] : [['path', path]]) })

const QUESTIONS: readonly Question[] = [
  ...['read', 'write'].flatMap((action) => ['secrets', 'orders'].flatMap((resource) => ['/a/x', '/b/x', '/ann/x', undefined].map((path) => asked(action, resource, path)))),
  ...['binding', 'role', 'identity', 'client-secret'].map((resource) => asked('grant', resource)),
]

/** All that an identity may do, where and when: `scope|time|question`. */
export function permissionsOf(model: Model, id: string, { evenDisabled = false } = {}): Set<string> {
  const identity = model.identities.get(id)
  const permissions = new Set<string>()
  if (!identity || !(identity.active || evenDisabled)) return permissions
  for (const { scope, hours } of PLACES) {
    const rules = rulesAt(model, identity, { scope, time: model.now + hours * HOUR })
    for (const [index, question] of QUESTIONS.entries()) if (isAllowed(rules, subjectOf(id, identity, question))) permissions.add(`${scope}|${hours}|${index}`)
  }
  return permissions
}

/** Whether whoever it is has the action `grant` now, on this resource: there, or else in the organization. */
export function mayGrant(model: Model, id: string, { scope, resource }: { scope: Scope; resource: string }): boolean {
  const identity = model.identities.get(id)
  if (!identity?.active) return false
  const question = subjectOf(id, identity, asked('grant', resource))
  return [scope, '' as const].some((where) => isAllowed(rulesAt(model, identity, { scope: where, time: model.now }), question))
}

const subjectOf = (id: string, { name }: ModelIdentity, question: Question): Asked =>
  ({ ...question, subject: { id, name, metadata: new Map<string, string>(), auth: new Map<string, string>() } })

function rulesAt({ roles }: Model, { bound }: ModelIdentity, { scope, time }: { scope: Scope; time: number }): readonly Rule[] {
  const current = (bound.get(scope)?.roles ?? []).filter(({ start, end }) => (start === null || start <= time) && (end === null || time < end))
  return current.flatMap(({ roleId }) => roles.get(roleId)?.rules ?? [])
}

const isAllowed = (rules: readonly Rule[], question: Asked): boolean => {
  const matching = rules.filter((rule) => referenceRule(rule, question))
  return matching.some(({ effect }) => effect === 'allow') && !matching.some(({ effect }) => effect === 'deny')
}

/** What somebody gained from one model to the next, and the giver, as it was before, did not hold. */
export function gains(before: Model, after: Model, giver: string): string[] {
  const held = permissionsOf(before, giver)
  return [...after.identities.keys()].flatMap((id) => {
    const had = permissionsOf(before, id)
    return [...permissionsOf(after, id)].filter((one) => !had.has(one) && !held.has(one)).map((one) => `${id}: ${one}`)
  })
}

const withIdentity = (model: Model, id: string, identity: ModelIdentity): Model => ({ ...model, identities: new Map([...model.identities, [id, identity]]) })

export function changedIdentity(model: Model, id: string, change: Partial<Omit<ModelIdentity, 'bound'>>): Model {
  const identity = model.identities.get(id) ?? { name: '', active: true, bound: new Map<Scope, Bound>() }
  return withIdentity(model, id, { ...identity, ...change })
}

export const withRole = (model: Model, id: string, role: ModelRole): Model => ({ ...model, roles: new Map([...model.roles, [id, role]]) })

export function bound(model: Model, id: string, { scope, to }: { scope: Scope; to: Bound | undefined }): Model {
  const identity = model.identities.get(id)
  if (!identity) return model
  const others = [...identity.bound].filter(([where]) => where !== scope)
  return withIdentity(model, id, { ...identity, bound: new Map<Scope, Bound>(to ? [...others, [scope, to]] : others) })
}
