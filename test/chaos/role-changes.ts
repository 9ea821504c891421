import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Effect, Group, Identity, Role, Scope } from './group.js'
import { etagMoved, gone, roleNamed, rulesOf } from './registry-calls.js'
import { CALL_MILLIS, type Done, type Planner, type RegistryMethod, type Step } from './step.js'

/** In each scope: the first is mostly bound, the last is there to be deleted. */
const ROLES = 3

export const roleChanges: Record<Extract<RegistryMethod, `${string}Role`>, Planner> = {
  CreateRole: { changes: 'nothing', weight: 20, plan: createRole },
  UpdateRole: { changes: 'either', weight: 3, plan: updateRole },
  DeleteRole: { changes: 'nothing', weight: 0.3, plan: deleteRole },
}

function createRole(group: Group): Step | undefined {
  const scope = group.scopes.find(({ roles }) => roles.length < ROLES)
  if (!scope) return undefined
  const { projectId } = scope
  const name = group.freshName('role')
  const effect: Effect = group.random.chance(0.8) ? 'allow' : 'none'
  const keep = ({ id, etag }: { id: string; etag: string }) => () => void scope.roles.push({ id, name, etag, effect })
  const attempt = async (): Promise<Done> => {
    const role = await group.registry(Registry.createRole, { projectId, name, description: '', rules: rulesOf[effect]() }, CALL_MILLIS)
    return { revision: role.revision, keep: keep(role) }
  }
  const again = async ({ reason }: { readonly reason: string }): Promise<Done | undefined> => {
    const found = reason === 'ROLE_NAME_TAKEN' ? await roleNamed(group, projectId, name) : undefined
    return found && { keep: keep(found) }
  }
  return { what: 'CreateRole', feed: 'registry', attempt, again }
}

/** Whoever holds the role is judged by its new rules. */
function updateRole(group: Group, about: Identity): Step | undefined {
  const { random } = group
  const held = random.pick(group.scopes.flatMap((scope) => (about.bound.get(scope)?.roles ?? []).map((role) => ({ scope, role }))))
  const effect = random.pick((['allow', 'deny', 'none'] as const).filter((one) => one !== held?.role.effect))
  return held && effect && updateRoleTo(group, { ...held, effect })
}

/** Lets a role of the scope allow that is held there and does not. */
export function allowByRole(group: Group, about: Identity, scope: Scope): Step | undefined {
  const role = group.random.pick((about.bound.get(scope)?.roles ?? []).filter(({ effect }) => effect !== 'allow'))
  return role && updateRoleTo(group, { scope, role, effect: 'allow' })
}

function updateRoleTo(group: Group, { scope, role, effect }: { scope: Scope; role: Role; effect: Effect }): Step {
  const key = { id: role.id, projectId: scope.projectId }
  return {
    what: 'UpdateRole',
    feed: 'registry',
    apply: () => (role.effect = effect),
    attempt: async () => {
      const { etag, revision } = await group.registry(Registry.updateRole, { ...key, description: '', rules: rulesOf[effect](), etag: role.etag }, CALL_MILLIS)
      return { revision, keep: () => (role.etag = etag) }
    },
    again: ({ reason }) => (reason === 'ETAG_STALE' ? etagMoved(role, () => group.registry(Registry.getRole, key, CALL_MILLIS)) : Promise.resolve(undefined)),
  }
}

function deleteRole(group: Group): Step | undefined {
  const { random, identities } = group
  const scope = random.pick(group.scopes.filter(({ roles }) => roles.length >= ROLES))
  const isHeld = (role: Role) => identities.some(({ isTainted, bound }) => isTainted || [...bound.values()].some(({ held }) => held.includes(role)))
  const role = scope && random.pick(scope.roles.filter((one) => !isHeld(one)))
  if (!role) return undefined
  return {
    what: 'DeleteRole',
    feed: 'registry',
    apply: () => (scope.roles = scope.roles.filter((one) => one !== role)),
    attempt: () => group.registry(Registry.deleteRole, { id: role.id, projectId: scope.projectId, etag: '' }, CALL_MILLIS),
    again: gone('ROLE_NOT_FOUND'),
  }
}
