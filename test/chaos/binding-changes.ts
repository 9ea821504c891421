import { wallMillis } from '#libs/clock.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { type Bound, type Group, type Identity, type Role, type Scope } from './group.js'
import { bindingOf, etagMoved, gone, scopeFor, toBind } from './registry-calls.js'
import { CALL_MILLIS, type Done, type Planner, type RegistryMethod, type Step } from './step.js'

export const bindingChanges: Record<Extract<RegistryMethod, `${string}Binding`>, Planner> = {
  CreateBinding: { changes: 'gives', weight: 8, plan: createBinding },
  UpdateBinding: { changes: 'either', weight: 2.5, plan: updateBinding },
  DeleteBinding: { changes: 'takes', weight: 2, plan: deleteBinding },
}

/** Soon after now, so that its end falls into the run, and not so soon that a fault could make it pass unheard of. */
const WINDOW_MILLIS = [900, 1_600] as const

function createBinding(group: Group, about: Identity): Step | undefined {
  const scope = about.state === 'deleted' || about.isTainted ? undefined : scopeFor(group, about, false)
  // The organization's own binding was made with the identity: there is only one.
  if (!scope || scope.projectId === '') return undefined
  const { projectId } = scope
  const identityId = about.id
  const roles = someRoles(group, scope)
  const bound: Bound = { id: '', etag: '', held: roles, roles, window: {} }
  const keep = ({ id, etag }: { id: string; etag: string }) => () => void Object.assign(bound, { id, etag })
  return {
    what: 'CreateBinding',
    feed: 'registry',
    about,
    apply: () => about.bound.set(scope, bound),
    attempt: async () => {
      const made = await group.registry(Registry.createBinding, { identityId, projectId, roles: toBind(bound.roles, {}) }, CALL_MILLIS)
      return { revision: made.revision, keep: keep(made) }
    },
    again: async ({ reason }): Promise<Done | undefined> => {
      const found = reason === 'BINDING_EXISTS' ? await bindingOf(group, identityId, projectId) : undefined
      return found && { keep: keep(found) }
    },
    // One that arrives late would make it anew after it was deleted.
    whenUnclear: () => (about.isTainted = true),
  }
}

const someRoles = ({ random }: Group, { roles }: Scope): readonly Role[] => {
  const [first] = roles
  return first && random.chance(0.7) ? [first] : roles.filter(() => random.chance(0.6)).concat(first ?? []).filter((role, index, all) => all.indexOf(role) === index)
}

/** Other roles, or one inside a window that opens or closes soon. */
function updateBinding(group: Group, about: Identity): Step | undefined {
  const { random } = group
  const scope = about.state === 'deleted' ? undefined : scopeFor(group, about, true)
  const bound = scope && about.bound.get(scope)
  if (!bound) return undefined
  const roles = oneThatAllows(scope)
  const isWindow = random.chance(0.4) && roles.length > 0 && about.state === 'active'
  if (isWindow) return openOrClose(group, { about, scope, bound, roles })
  return replaceRoles(group, { about, scope, bound, roles: someRoles(group, scope), window: {} })
}

/** A role that allows in place of those that are bound. */
export function bindWhatAllows(group: Group, about: Identity, scope: Scope): Step | undefined {
  const bound = about.bound.get(scope)
  const roles = oneThatAllows(scope)
  return bound && roles.length > 0 ? replaceRoles(group, { about, scope, bound, roles, window: {} }) : undefined
}

const oneThatAllows = ({ roles }: Scope): readonly Role[] => roles.filter(({ effect }) => effect === 'allow').slice(0, 1)

type Replacement = { readonly about: Identity; readonly scope: Scope; readonly bound: Bound; readonly roles: readonly Role[] }

function openOrClose(group: Group, replacement: Replacement): Step | undefined {
  const { about, scope, bound, roles } = replacement
  const track = about.tracks.get(scope)
  if (track === undefined) return undefined
  const time = new Date(Math.round(wallMillis() + group.random.between(...WINDOW_MILLIS)))
  const ends = group.random.chance(0.6)
  const step = replaceRoles(group, { ...replacement, window: ends ? { end: time } : { start: time } })
  return {
    ...step,
    apply: () => {
      bound.held = roles
      bound.roles = ends ? roles : []
      bound.window = ends ? { end: time } : { start: time }
    },
    turn: { track, value: ends ? 'deny' : 'allow', time, ends },
  }
}

/** What is true of a binding with a window once that has opened or closed. */
export function afterTurn(bound: Bound): void {
  bound.roles = bound.window.end ? [] : bound.held
}

/** The binding to the organization that came with the identity. */
async function ownBinding(group: Group, about: Identity): Promise<{ id: string; etag: string }> {
  const found = await bindingOf(group, about.id, '')
  if (!found) throw new Error(`${about.id} came without a binding to its organization`)
  return { id: found.id, etag: found.etag }
}

function replaceRoles(group: Group, { about, scope, bound, roles, window }: Replacement & { readonly window: Bound['window'] }): Step {
  const key = () => ({ id: bound.id, projectId: scope.projectId })
  return {
    what: 'UpdateBinding',
    feed: 'registry',
    about,
    apply: () => {
      bound.held = bound.roles = roles
      bound.window = window
    },
    attempt: async () => {
      if (bound.id === '') Object.assign(bound, await ownBinding(group, about))
      const { etag, revision } = await group.registry(Registry.updateBinding, { ...key(), roles: toBind(roles, window), etag: bound.etag }, CALL_MILLIS)
      return { revision, keep: () => (bound.etag = etag) }
    },
    again: ({ reason }) => (reason === 'ETAG_STALE' ? etagMoved(bound, () => group.registry(Registry.getBinding, key(), CALL_MILLIS)) : Promise.resolve(undefined)),
  }
}

function deleteBinding(group: Group, about: Identity): Step | undefined {
  const scope = group.project
  const bound = scope && about.bound.get(scope)
  if (!bound || about.isTainted) return undefined
  return {
    what: 'DeleteBinding',
    feed: 'registry',
    about,
    apply: () => about.bound.delete(scope),
    attempt: () => group.registry(Registry.deleteBinding, { id: bound.id, projectId: scope.projectId, etag: bound.etag }, CALL_MILLIS),
    again: gone('BINDING_NOT_FOUND'),
  }
}
