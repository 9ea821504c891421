import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { BoundRole } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { Effect, Operator, type Rule } from '#libs/wire/gen/countersign/registry/v1/role.js'
import type { Credentials, Session, System } from './system.js'
import { untouched } from './untouched.js'

/** A workload: an identity with Universal Auth and one client secret. */
export type Workload = Credentials & { readonly identityId: string; readonly secretId: string }

type WorkloadOptions = { readonly name: string; readonly role?: string; readonly useLimit?: number; readonly ttlSeconds?: number; readonly tokenTtlSeconds?: number }

export async function makeWorkload(admin: Session, { name, role = '', useLimit = 0, ttlSeconds = 0, tokenTtlSeconds }: WorkloadOptions): Promise<Workload> {
  const { id: identityId } = await admin.registry(Registry.createIdentity, { name, role })
  await admin.exchange(Exchange.attachUniversalAuth, { identityId, ...untouched, accessTokenTtlSeconds: tokenTtlSeconds })
  const { clientId, clientSecret, secret } = await admin.exchange(Exchange.createClientSecret, { identityId, description: '', ttlSeconds, useLimit })
  return { identityId, clientId, clientSecret: secret, secretId: clientSecret?.id ?? '' }
}

/** A role to bind for ever. */
export const forEver = (role: string): BoundRole => ({ role, roleId: '', startTime: undefined, endTime: undefined })

export async function bindTo(admin: Session, identityId: string, projectId: string, ...roles: string[]): Promise<string> {
  const { id } = await admin.registry(Registry.createBinding, { identityId, projectId, roles: roles.map(forEver) })
  return id
}

export async function makeProject(admin: Session, name: string): Promise<string> {
  const { id } = await admin.registry(Registry.createProject, { name })
  return id
}

type Where = { readonly attribute: string; readonly eq?: string; readonly in?: string[]; readonly glob?: string }

const conditionOf = (where: Where) => {
  const { attribute } = where
  if (where.eq !== undefined) return { attribute, operator: Operator.EQ, values: [textValue(where.eq)] }
  if (where.glob !== undefined) return { attribute, operator: Operator.GLOB, values: [textValue(where.glob)] }
  return { attribute, operator: Operator.IN, values: (where.in ?? []).map(textValue) }
}

export const textValue = (value: string) => ({ kind: { $case: 'stringValue' as const, value } })

export const allow = (actions: string[], resources: string[], ...where: Where[]): Rule => ({ effect: Effect.ALLOW, actions, resources, conditions: where.map(conditionOf) })

export const deny = (actions: string[], resources: string[], ...where: Where[]): Rule => ({ ...allow(actions, resources, ...where), effect: Effect.DENY })

/** Somebody whose one role, in the organization, holds exactly the rules that were set last. */
export type Limited = Workload & { readonly session: Session; may(...rules: Rule[]): Promise<{ readonly revision: string }> }

export async function makeLimited(system: System, admin: Session, name: string): Promise<Limited> {
  const { id } = await admin.registry(Registry.createRole, { projectId: '', name, description: '', rules: [] })
  const workload = await makeWorkload(admin, { name, role: name })
  return {
    ...workload,
    session: await system.session(workload),
    may: (...rules) => admin.registry(Registry.updateRole, { id, projectId: '', description: '', rules, etag: '' }),
  }
}

/** Names that nothing else in a test file has. */
export function freshNames(prefix: string): () => string {
  let count = 0
  return () => `${prefix}-${(count += 1)}`
}

/** An id that nothing has. */
export const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000'
