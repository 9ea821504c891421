import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { bindingChanges } from './binding-changes.js'
import { bootstrapAgain } from './bootstrap-change.js'
import type { Group, Identity } from './group.js'
import { gone, identityNamed, projectNamed } from './registry-calls.js'
import { roleChanges } from './role-changes.js'
import { CALL_MILLIS, type Done, type Planner, type RegistryMethod, type Step } from './step.js'

// Every method that changes something in identity-registry, and how it is used here. One that is added to
// changedInRegistry has to be added here too: without it this does not compile.

export const registryChanges: Record<RegistryMethod, Planner> = {
  ...bindingChanges,
  ...roleChanges,
  Bootstrap: { changes: 'nothing', weight: 0.3, plan: (group) => bootstrapAgain(group, 'registry') },
  UpdateOrganization: { changes: 'nothing', weight: 0.5, plan: updateOrganization },
  CreateProject: { changes: 'nothing', weight: 20, plan: createProject },
  UpdateProject: { changes: 'nothing', weight: 0.5, plan: updateProject },
  DeleteProject: { changes: 'takes', weight: 0.5, plan: deleteProject },
  CreateIdentity: { changes: 'nothing', weight: 20, plan: createIdentity },
  UpdateIdentity: { changes: 'nothing', weight: 1, plan: (_group, about) => renameIdentity(_group, about) },
  EnableIdentity: { changes: 'gives', weight: 4, plan: (group, about) => setState(group, about, 'active') },
  DisableIdentity: { changes: 'takes', weight: 1.5, plan: (group, about) => setState(group, about, 'disabled') },
  DeleteIdentity: { changes: 'takes', weight: 0.4, plan: deleteIdentity },
}

/** In each group. */
export const IDENTITIES = 3

function updateOrganization(group: Group): Step {
  const name = group.freshName('organization')
  return { what: 'UpdateOrganization', feed: 'registry', attempt: () => group.registry(Registry.updateOrganization, { name, etag: '' }, CALL_MILLIS) }
}

function createProject(group: Group): Step | undefined {
  if (group.project) return undefined
  const name = group.freshName('project')
  const keep = (id: string) => () => group.addProject({ projectId: id, roles: [], isGone: false, name })
  const attempt = async (): Promise<Done> => {
    const { id, revision } = await group.registry(Registry.createProject, { name }, CALL_MILLIS)
    return { revision, keep: keep(id) }
  }
  const again = async ({ reason }: { readonly reason: string }): Promise<Done | undefined> => {
    const id = reason === 'PROJECT_NAME_TAKEN' ? await projectNamed(group, name) : undefined
    return id === undefined ? undefined : { keep: keep(id) }
  }
  return { what: 'CreateProject', feed: 'registry', attempt, again }
}

function updateProject(group: Group): Step | undefined {
  const { project } = group
  if (!project) return undefined
  const name = group.freshName('project')
  return {
    what: 'UpdateProject',
    feed: 'registry',
    apply: () => (project.name = name),
    attempt: () => group.registry(Registry.updateProject, { id: project.projectId, name, etag: '' }, CALL_MILLIS),
    whenUnclear: () => (project.name = undefined),
  }
}

function deleteProject(group: Group): Step | undefined {
  const { project } = group
  if (!project || project.roles.length < 2) return undefined
  return {
    what: 'DeleteProject',
    feed: 'registry',
    apply: () => {
      project.isGone = true
      project.roles = []
      group.project = undefined
      group.gone.push(project)
      for (const { bound } of group.identities) bound.delete(project)
    },
    attempt: () => group.registry(Registry.deleteProject, { id: project.projectId, etag: '' }, CALL_MILLIS),
    again: gone('PROJECT_NOT_FOUND'),
  }
}

function createIdentity(group: Group): Step | undefined {
  if (group.identities.filter(({ state }) => state !== 'deleted').length >= IDENTITIES) return undefined
  const name = group.freshName('identity')
  // A role of its own is bound to it later: this one needs no binding to be looked for.
  const keep = (id: string) => () => void group.addIdentity(id, name)
  const attempt = async (): Promise<Done> => {
    const { id, revision } = await group.registry(Registry.createIdentity, { name, role: '' }, CALL_MILLIS)
    return { revision, keep: keep(id) }
  }
  const again = async ({ reason }: { readonly reason: string }): Promise<Done | undefined> => {
    const id = reason === 'IDENTITY_NAME_TAKEN' ? await identityNamed(group, name) : undefined
    return id === undefined ? undefined : { keep: keep(id) }
  }
  return { what: 'CreateIdentity', feed: 'registry', attempt, again }
}

export function renameIdentity(group: Group, about: Identity, then?: () => Step | undefined): Step | undefined {
  if (about.state === 'deleted') return undefined
  const name = group.freshName('identity')
  return {
    what: 'UpdateIdentity',
    feed: 'registry',
    about,
    apply: () => (about.name = name),
    attempt: () => group.registry(Registry.updateIdentity, { id: about.id, name, etag: '' }, CALL_MILLIS),
    whenUnclear: () => (about.name = undefined),
    ...(then && { then }),
  }
}

function setState(group: Group, about: Identity, state: 'active' | 'disabled'): Step | undefined {
  if (about.state === 'deleted' || about.state === state || about.isTainted) return undefined
  const method = state === 'active' ? Registry.enableIdentity : Registry.disableIdentity
  return {
    what: state === 'active' ? 'EnableIdentity' : 'DisableIdentity',
    feed: 'registry',
    about,
    apply: () => (about.state = state),
    attempt: async () => {
      const { revision } = await group.registry(method, { id: about.id }, CALL_MILLIS)
      return { revision, keep: () => (about.enabledAt = group.tools.recorder.now()) }
    },
    // One that arrives late would undo the next change of the state, which an etag could not forbid.
    whenUnclear: () => (about.isTainted = true),
  }
}

export function deleteIdentity(group: Group, about: Identity): Step | undefined {
  if (about.state === 'deleted') return undefined
  return {
    what: 'DeleteIdentity',
    feed: 'registry',
    about,
    apply: () => {
      about.state = 'deleted'
      about.bound.clear()
    },
    attempt: () => group.registry(Registry.deleteIdentity, { id: about.id, etag: '' }, CALL_MILLIS),
    again: gone('IDENTITY_NOT_FOUND'),
  }
}
