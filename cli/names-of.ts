import { DomainError } from '#libs/domain-error.js'
import { GetIdentityRequest } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { GetProjectRequest } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Session } from './session.js'

// Lists show names beside ids. They are a courtesy: where one can't be had, its id stands for it.

export const identityNamesOf = (session: Session, ids: readonly string[]) =>
  namesOf(ids, (id) => session.call('registry', registry.getIdentity, GetIdentityRequest.fromPartial({ id })))

export const projectNamesOf = (session: Session, ids: readonly string[]) =>
  namesOf(ids, (id) => session.call('registry', registry.getProject, GetProjectRequest.fromPartial({ id })))

// A longer list is read by programs, or shows ids.
const MOST_NAMES = 50

async function namesOf(all: readonly string[], fetch: (id: string) => Promise<{ name: string }>): Promise<(id: string) => string> {
  const ids = [...new Set(all)].filter((id) => id !== '').slice(0, MOST_NAMES)
  const found = await Promise.all(ids.map(async (id) => [id, await nameOrId(id, fetch)] as const))
  const names = new Map(found)
  return (id) => names.get(id) ?? id
}

async function nameOrId(id: string, fetch: (id: string) => Promise<{ name: string }>): Promise<string> {
  try {
    return (await fetch(id)).name
  } catch (error) {
    if (error instanceof DomainError) return id
    throw error
  }
}
