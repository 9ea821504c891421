import type { BoundRole } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Rule } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { allow, deny } from '../support/builders.js'
import type { Bound, Effect, Group, Identity, Role, Scope } from './group.js'
import { CALL_MILLIS, type Done } from './step.js'

// What the mutators read and send of identity-registry, in the terms of a group.

/** The one question that is asked of everybody everywhere. */
export const QUESTION = { action: 'read', resource: 'secrets' } as const

export const rulesOf: Record<Effect, () => Rule[]> = {
  allow: () => [allow([QUESTION.action], [QUESTION.resource])],
  deny: () => [allow([QUESTION.action], [QUESTION.resource]), deny([QUESTION.action], [QUESTION.resource])],
  none: () => [],
}

export const toBind = (roles: readonly Role[], { start, end }: Bound['window']): BoundRole[] =>
  roles.map(({ name }) => ({ role: name, roleId: '', startTime: start, endTime: end }))

export async function projectNamed(group: Group, name: string): Promise<string | undefined> {
  const { projects } = await group.registry(Registry.listProjects, { pageSize: 0, pageToken: '', name }, CALL_MILLIS)
  return projects[0]?.id
}

export async function identityNamed(group: Group, name: string): Promise<string | undefined> {
  const { identities } = await group.registry(Registry.listIdentities, { pageSize: 0, pageToken: '', name }, CALL_MILLIS)
  return identities[0]?.id
}

export async function roleNamed(group: Group, projectId: string, name: string): Promise<{ id: string; etag: string } | undefined> {
  let pageToken = ''
  do {
    const page = await group.registry(Registry.listRoles, { projectId, pageSize: 200, pageToken }, CALL_MILLIS)
    const found = page.roles.find((role) => role.name === name)
    if (found) return found
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return undefined
}

export async function bindingOf(group: Group, identityId: string, projectId: string): Promise<{ id: string; etag: string } | undefined> {
  const { bindings } = await group.registry(Registry.listBindings, { projectId, identityId, pageSize: 0, pageToken: '' }, CALL_MILLIS)
  return bindings.find((binding) => binding.projectId === projectId)
}

/** After an attempt that was not heard of, an etag that is no longer the known one says that it had happened. */
export async function etagMoved(held: { etag: string }, read: () => Promise<{ etag: string } | undefined>): Promise<Done | undefined> {
  const found = await read()
  if (!found || found.etag === held.etag) return undefined
  return { keep: () => (held.etag = found.etag) }
}

/** What is gone after an attempt that was not heard of went with it. */
export const gone = (reason: string) => (error: { readonly reason: string }): Promise<Done | undefined> =>
  Promise.resolve(error.reason === reason ? {} : undefined)

/** Where something can be done to the identity and its roles are there to be bound. */
export function scopeFor(group: Group, { bound }: Identity, isBound: boolean): Scope | undefined {
  return group.random.pick(group.scopes.filter((scope) => scope.roles.length > 0 && bound.has(scope) === isBound))
}
