import fc from 'fast-check'
import { expect } from 'vitest'
import { toRuleMessage } from '#libs/rpc/rule-message.js'
import type { Rule } from '#libs/rules/rule.js'
import { BUILT_IN_ROLES } from '../../services/identity-registry/domain/role.js'
import { checkCoverage } from '../../services/identity-registry/rpc/check-coverage.js'
import { createBinding } from '../../services/identity-registry/rpc/create-binding.js'
import { createIdentity } from '../../services/identity-registry/rpc/create-identity.js'
import { createRole } from '../../services/identity-registry/rpc/create-role.js'
import { deleteBinding } from '../../services/identity-registry/rpc/delete-binding.js'
import { disableIdentity } from '../../services/identity-registry/rpc/disable-identity.js'
import { enableIdentity } from '../../services/identity-registry/rpc/enable-identity.js'
import { updateBinding } from '../../services/identity-registry/rpc/update-binding.js'
import { updateIdentity } from '../../services/identity-registry/rpc/update-identity.js'
import { updateRole } from '../../services/identity-registry/rpc/update-role.js'
import { type BoundRole, bound, changedIdentity, HOUR, mayGrant, permissionsOf, type Scope, SCOPES, withRole } from './escalation-model.js'
import { at, attempt, projectOf, rolesIn, roleNameOf, tried, type World } from './escalation-world.js'

// What anybody may try in a world, as commands of fast-check. Whoever it is, is chosen by a place in a list.

const path = (glob: string) => ({ attribute: 'path', operator: 'glob' as const, values: [glob] })
const rules: fc.Arbitrary<Rule[]> = fc.array(
  fc.record({
    effect: fc.constantFrom<Rule['effect'][]>('allow', 'allow', 'deny'),
    resources: fc.constantFrom(['secrets'], ['secrets', 'orders'], ['*']),
    actions: fc.constantFrom(['read'], ['read', 'write'], ['*']),
    conditions: fc.constantFrom([], [path('/a/**')], [path('/{a,b}/**')], [path('/{{identity.name}}/**')], [path('/**')]),
  }),
  { minLength: 1, maxLength: 3 },
)
const hours = fc.constantFrom(null, null, 1, 2, 4)
export type Step = { readonly name: string; readonly run: (world: World) => Promise<void> }
const who = fc.nat(20)
const scopes = fc.constantFrom(...SCOPES)

export const steps: fc.Arbitrary<Step>[] = [
  fc.tuple(who, scopes, rules).map(([actor, scope, given]) => ({
    name: `${actor} makes a role in "${scope}": ${JSON.stringify(given)}`,
    run: async (world) => {
      const id = at(world.model.identities.keys(), actor)
      const request = { projectId: projectOf(world, scope), name: `role-${world.model.roles.size}`, description: '', rules: given.map(toRuleMessage) }
      const made = await tried(world, id, { handler: createRole(world.handlers.outside), request })
      if (made !== undefined && made !== 'escalation') world.model = withRole(world.model, made.id, { scope, rules: given })
    },
  })),
  fc.tuple(who, who, rules).map(([actor, place, given]) => ({
    name: `${actor} edits role ${place}: ${JSON.stringify(given)}`,
    run: async (world) => {
      const custom = [...world.model.roles].filter(([id]) => !BUILT_IN_ROLES.some((role) => role.id === id))
      if (custom.length === 0) return
      const [roleId, { scope }] = at(custom, place)
      const request = { id: roleId, projectId: projectOf(world, scope), description: '', rules: given.map(toRuleMessage), etag: '' }
      const then = () => withRole(world.model, roleId, { scope, rules: given })
      await attempt(world, { actor: at(world.model.identities.keys(), actor), handler: updateRole(world.handlers.outside), request, grant: { scope, resource: 'role' }, then })
    },
  })),
  fc.tuple(who, who, scopes, fc.array(fc.record({ place: who, start: hours, end: hours }), { minLength: 1, maxLength: 2 })).map(([actor, holder, scope, wanted]) => ({
    name: `${actor} binds ${holder} in "${scope}" to ${JSON.stringify(wanted)}`,
    run: (world) => bind(world, { actor, holder, scope, wanted }),
  })),
  fc.tuple(who, who, scopes).map(([actor, holder, scope]) => ({
    name: `${actor} unbinds ${holder} in "${scope}"`,
    run: async (world) => {
      const id = at(world.model.identities.keys(), holder)
      const bindingId = world.model.identities.get(id)?.bound.get(scope)?.bindingId ?? ''
      if (bindingId === '') return
      const then = () => bound(world.model, id, { scope, to: undefined })
      const request = { id: bindingId, projectId: projectOf(world, scope), etag: '' }
      await attempt(world, { actor: at(world.model.identities.keys(), actor), handler: deleteBinding(world.handlers.outside), request, grant: { scope, resource: 'binding' }, then })
    },
  })),
  fc.tuple(who, who, fc.constantFrom('ann', 'bob', 'a', 'b')).map(([actor, holder, name]) => ({
    name: `${actor} renames ${holder} to ${name}`,
    run: async (world) => {
      const id = at(world.model.identities.keys(), holder)
      const then = () => changedIdentity(world.model, id, { name })
      await attempt(world, { actor: at(world.model.identities.keys(), actor), handler: updateIdentity(world.handlers.outside), request: { id, name, etag: '' }, grant: { scope: '', resource: 'identity' }, then })
    },
  })),
  fc.tuple(who, who, fc.boolean()).map(([actor, holder, active]) => ({
    name: `${actor} ${active ? 'enables' : 'disables'} ${holder}`,
    run: async (world) => {
      const id = at(world.model.identities.keys(), holder)
      const then = () => changedIdentity(world.model, id, { active })
      const handler = active ? enableIdentity(world.handlers.outside) : disableIdentity(world.handlers.outside)
      await attempt(world, { actor: at(world.model.identities.keys(), actor), handler, request: { id }, grant: { scope: '', resource: 'identity' }, then })
    },
  })),
  fc.tuple(who, who).map(([actor, place]) => ({
    name: `${actor} makes an identity with role ${place}`,
    run: async (world) => {
      const [roleId, name] = [at(rolesIn(world.model, ''), place), `made-${world.model.identities.size}`]
      const role = await roleNameOf(world, roleId)
      const then = (made: { id: string } | undefined) => {
        const id = made?.id ?? 'somebody'
        return bound(changedIdentity(world.model, id, { name }), id, { scope: '', to: { bindingId: '', roles: [{ roleId, start: null, end: null }] } })
      }
      await attempt(world, { actor: at(world.model.identities.keys(), actor), handler: createIdentity(world.handlers.outside), request: { name, role }, grant: { scope: '', resource: 'binding' }, then })
    },
  })),
  fc.constantFrom(1, 2).map((count) => ({
    name: `${count} hours pass`,
    run: (world) => {
      world.handlers.clock.advance(count * HOUR)
      world.model = { ...world.model, now: world.handlers.clock.now().getTime() }
      return Promise.resolve()
    },
  })),
  fc.tuple(who, who).map(([actor, holder]) => ({ name: `${actor} asks for a credential of ${holder}`, run: (world) => takeCredential(world, actor, holder) })),
]

type Binding = { readonly actor: number; readonly holder: number; readonly scope: Scope; readonly wanted: readonly { place: number; start: number | null; end: number | null }[] }

async function bind(world: World, { actor, holder, scope, wanted }: Binding): Promise<void> {
  const { model } = world
  const id = at(model.identities.keys(), holder)
  const time = (count: number | null) => (count === null ? null : model.now + count * HOUR)
  const roles: BoundRole[] = wanted.map(({ place, start, end }) => ({ roleId: at(rolesIn(model, scope), place), start: time(start), end: time(end) }))
  const named = await Promise.all(roles.map(async ({ roleId, start, end }) => ({ role: await roleNameOf(world, roleId), roleId: '', startTime: start === null ? undefined : new Date(start), endTime: end === null ? undefined : new Date(end) })))
  const there = model.identities.get(id)?.bound.get(scope)?.bindingId
  const [projectId, grant] = [projectOf(world, scope), { scope, resource: 'binding' }]
  const then = (made: { id: string } | undefined) => bound(model, id, { scope, to: { bindingId: made?.id ?? there ?? '', roles } })
  const by = at(model.identities.keys(), actor)
  if (there === undefined) await attempt(world, { actor: by, handler: createBinding(world.handlers.outside), request: { identityId: id, projectId, roles: named }, grant, then })
  else if (there !== '') await attempt(world, { actor: by, handler: updateBinding(world.handlers.outside), request: { id: there, projectId, roles: named, etag: '' }, grant, then })
}

/** With a credential of another, one may do what it may, once it is enabled. */
async function takeCredential(world: World, actor: number, holder: number): Promise<void> {
  const { organizationId, model, counts } = world
  const [callerIdentityId, identityId] = [at(model.identities.keys(), actor), at(model.identities.keys(), holder)]
  const request = { organizationId, callerIdentityId, identityId, resource: 'client-secret' }
  const { missingRules } = await checkCoverage(world.handlers.outside)(request, world.handlers.call(), world.handlers.service)
  const held = permissionsOf(model, callerIdentityId)
  const isFree = mayGrant(model, callerIdentityId, { scope: '', resource: 'client-secret' })
  if (missingRules.length > 0) {
    counts.notCovered += 1
    expect(isFree).toBe(false)
  } else if (!isFree) {
    counts.taken += 1
    expect([...permissionsOf(model, identityId, { evenDisabled: true })].filter((one) => !held.has(one))).toEqual([])
  }
}
