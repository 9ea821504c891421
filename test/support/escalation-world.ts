import { expect } from 'vitest'
import type { Caller } from '#libs/authorization.js'
import { DomainError } from '#libs/domain-error.js'
import type { Unary } from '#libs/rpc/unary.js'
import { BUILT_IN_ROLES } from '../../services/identity-registry/domain/role.js'
import { bootstrap } from '../../services/identity-registry/rpc/bootstrap.js'
import { createIdentity } from '../../services/identity-registry/rpc/create-identity.js'
import { createProject } from '../../services/identity-registry/rpc/create-project.js'
import { listHeldRoles } from '../../services/identity-registry/store/held-rules.js'
import { bound, changedIdentity, gains, mayGrant, type Model, type Scope, SCOPES } from './escalation-model.js'
import type { RegistryHandlers } from './registry-handlers.js'

// An organization in a database, and the model that it is held to after every change.

export type World = { readonly handlers: RegistryHandlers; readonly organizationId: string; readonly projectId: string; readonly counts: Counts; model: Model }

/** How often something was given, refused, refused though nobody would have gained, and credentials taken or not. */
export type Counts = { given: number; refused: number; inVain: number; taken: number; notCovered: number }

export const newCounts = (): Counts => ({ given: 0, refused: 0, inVain: 0, taken: 0, notCovered: 0 })

export const projectOf = (world: World, scope: Scope): string => (scope === '' ? '' : world.projectId)
export const at = <T>(all: Iterable<T>, place: number): T => {
  const list = [...all]
  const found = list[place % list.length]
  if (found === undefined) throw new Error('there is nothing to choose from')
  return found
}
export const rolesIn = ({ roles }: Model, scope: Scope): string[] => [...roles].filter(([, role]) => role.scope === scope).map(([id]) => id)

/** An organization with an admin, three identities that hold nothing, a project and the built-in roles. */
export async function newWorld(handlers: RegistryHandlers, counts: Counts): Promise<World> {
  const { outside: { ids }, service } = handlers
  await handlers.makeRoom()
  const [organizationId, root] = [ids.next(), ids.next()]
  await bootstrap(handlers.outside)({ organizationId, organizationName: 'acme', identityId: root, identityName: 'root' }, handlers.call(), service)
  const caller = { organizationId, identityId: root, tokenId: ids.next() }
  let model: Model = { now: handlers.clock.now().getTime(), identities: new Map(), roles: new Map(BUILT_IN_ROLES.map(({ id, level, rules }) => [id, { scope: level === 'project' ? 'project' : '', rules }])) }
  const adminOf = (scope: Scope) => BUILT_IN_ROLES.find(({ name, level }) => name === 'admin' && level === (scope === '' ? 'organization' : 'project'))?.id ?? ''
  const { id: projectId } = await handlers.by(caller, createProject(handlers.outside), { name: 'shop' })
  model = changedIdentity(model, root, { name: 'root' })
  for (const scope of SCOPES) model = bound(model, root, { scope, to: { bindingId: '', roles: [{ roleId: adminOf(scope), start: null, end: null }] } })
  for (const name of ['ann', 'bob', 'cid']) {
    const { id } = await handlers.by(caller, createIdentity(handlers.outside), { name, role: '' })
    model = changedIdentity(model, id, { name })
    const roles = (await listHeldRoles(handlers.outside.db, { organizationId, identityId: id, scopes: [null], now: handlers.clock.now() })).map(({ roleId }) => ({ roleId, start: null, end: null }))
    model = bound(model, id, { scope: '', to: { bindingId: await bindingIdOf(handlers, organizationId, id), roles } })
  }
  return { handlers, organizationId, projectId, counts, model }
}

async function bindingIdOf(handlers: RegistryHandlers, organizationId: string, identityId: string): Promise<string> {
  const row = await handlers.outside.db.selectFrom('binding').select('id').where('organizationId', '=', organizationId).where('identityId', '=', identityId).where('projectId', 'is', null).executeTakeFirstOrThrow()
  return row.id
}

type Wanted<Request, Response> = { readonly handler: Unary<Request, Response>; readonly request: Request }

/** The answer, or undefined for a refusal that there may be; whoever refuses for the guard's sake is counted. */
export async function tried<Request, Response>({ handlers, organizationId }: World, actor: string, { handler, request }: Wanted<Request, Response>): Promise<Response | 'escalation' | undefined> {
  const caller: Caller = { organizationId, identityId: actor, tokenId: actor }
  try {
    return await handlers.by(caller, handler, request)
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind === 'INTERNAL') throw error
    return error.reason === 'ESCALATION' ? 'escalation' : undefined
  }
}

type Attempt<Request, Response> = Wanted<Request, Response> & {
  readonly actor: string
  readonly grant: { readonly scope: Scope; readonly resource: string }
  /** The model after it, if it is done. */
  readonly then: (response: Response | undefined) => Model
}

/** Makes the change and holds what came of it to the model. */
export async function attempt<Request, Response>(world: World, { actor, grant, then, ...wanted }: Attempt<Request, Response>): Promise<void> {
  const { model: before, counts } = world
  const outcome = await tried(world, actor, wanted)
  if (outcome === undefined) return
  const isFree = mayGrant(before, actor, grant)
  if (outcome === 'escalation') {
    counts.refused += 1
    expect(isFree).toBe(false)
    if (gains(before, then(undefined), actor).length === 0) counts.inVain += 1
    return
  }
  counts.given += 1
  world.model = then(outcome)
  if (!isFree) expect(gains(before, world.model, actor)).toEqual([])
}

export async function roleNameOf({ handlers, organizationId }: World, id: string): Promise<string> {
  const builtIn = BUILT_IN_ROLES.find((role) => role.id === id)
  if (builtIn) return builtIn.name
  const { name } = await handlers.outside.db.selectFrom('role').select('name').where('organizationId', '=', organizationId).where('id', '=', id).executeTakeFirstOrThrow()
  return name
}

/** The database holds what the model says, so that what was checked is what is. */
export async function expectSame({ handlers, organizationId, projectId, model }: World): Promise<void> {
  const now = new Date(model.now)
  for (const [identityId, { bound: bindings }] of model.identities) {
    const held = await listHeldRoles(handlers.outside.db, { organizationId, identityId, scopes: 'everywhere', now })
    const stored = held.map(({ projectId: where, roleId, startTime, endTime }) => `${where ?? ''} ${roleId} ${startTime?.getTime() ?? ''} ${endTime?.getTime() ?? ''}`)
    const modelled = [...bindings].flatMap(([scope, { roles }]) =>
      roles.filter(({ end }) => end === null || end > model.now).map(({ roleId, start, end }) => `${scope === '' ? '' : projectId} ${roleId} ${start ?? ''} ${end ?? ''}`))
    expect(stored.sort()).toEqual(modelled.sort())
  }
}
