import type { handleUnaryCall } from '@grpc/grpc-js'
import { DomainError } from '#libs/domain-error.js'
import type { Ids } from '#libs/ids.js'
import { type AuditEvent, type ListAuditEventsRequest, ListAuditEventsResponse } from '#libs/wire/gen/countersign/audit/v1/audit_event.js'
import type { RevokeAccessTokensRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import type { AuthMethod } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { ClientSecret } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import type { ActiveLockout } from '#libs/wire/gen/countersign/exchange/v1/lockout.js'
import type { Principal } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import { UniversalAuth } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import type { Binding } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { Identity, IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { Project } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Role } from '#libs/wire/gen/countersign/registry/v1/role.js'

export type FakeToken = { readonly tokenId: string; readonly identityId: string; readonly name?: string; revoked: boolean }

/** Answers a method; refuses with DomainErrors as the real services do. `accessToken` is the bearer's, if any. */
export type Answering = {
  <Request, Response>(method: string, answer: (request: Request, accessToken: string | undefined) => Response): handleUnaryCall<Request, Response>
}

/** All that the fake services know, for tests to look at and to change. */
export type World = {
  readonly ids: Ids
  readonly organizationId: string
  readonly admin: { readonly identityId: string; readonly clientId: string; readonly clientSecret: string }
  readonly identities: Identity[]
  readonly projects: Project[]
  readonly roles: Role[]
  readonly bindings: Binding[]
  readonly methods: UniversalAuth[]
  /** Without Universal Auth. */
  readonly authMethods: AuthMethod[]
  readonly secrets: ClientSecret[]
  readonly principals: Principal[]
  readonly lockouts: ActiveLockout[]
  /** Of each service, newest first. */
  readonly audit: { readonly registry: AuditEvent[]; readonly exchange: AuditEvent[] }
  /** The texts of client secrets, by client id. */
  readonly logins: Map<string, { readonly identityId: string; readonly clientSecret: string }>
  readonly tokens: Map<string, FakeToken>
  /** Whose tokens were all revoked. */
  readonly revokedAll: RevokeAccessTokensRequest['of'][]
  /** Identities that may do nothing in the registry. */
  readonly powerless: Set<string>
  /** Whether authorization-check wants to know who asks, as it does off loopback. */
  callerIsWanted: boolean
  /** Names of methods, in the order of the calls. */
  readonly calls: string[]
  /** What a method refuses every call with. */
  readonly refusals: Map<string, DomainError>
}

export const NOW = new Date('2026-01-02T03:04:05Z')

export function newWorld(ids: Ids): World {
  const organizationId = ids.next()
  const admin = { identityId: ids.next(), clientId: ids.next(), clientSecret: 'csk_admin_secret' }
  const identity = { id: admin.identityId, organizationId, name: 'admin', state: IdentityState.ACTIVE, createTime: NOW }
  return {
    ids,
    organizationId,
    admin,
    identities: [Identity.fromPartial(identity)],
    projects: [],
    roles: [],
    bindings: [],
    methods: [],
    authMethods: [],
    secrets: [],
    principals: [],
    lockouts: [],
    audit: { registry: [], exchange: [] },
    logins: new Map([[admin.clientId, admin]]),
    tokens: new Map(),
    revokedAll: [],
    powerless: new Set(),
    callerIsWanted: false,
    calls: [],
    refusals: new Map(),
  }
}

export function addProject(world: World, name: string): void {
  world.projects.push(Project.fromPartial({ id: world.ids.next(), organizationId: world.organizationId, name, createTime: NOW }))
}

/** An identity that can log in, and what it logs in with. */
export function addIdentity(world: World, name: string): { readonly clientId: string; readonly clientSecret: string } {
  const [identityId, clientId, clientSecret] = [world.ids.next(), world.ids.next(), `csk_of_${name}`]
  const identity = { id: identityId, organizationId: world.organizationId, name, state: IdentityState.ACTIVE, createTime: NOW }
  world.identities.push(Identity.fromPartial(identity))
  world.methods.push(UniversalAuth.fromPartial({ identityId, clientId }))
  world.secrets.push(ClientSecret.fromPartial({ id: world.ids.next(), identityId, description: 'first', createTime: NOW }))
  world.logins.set(clientId, { identityId, clientSecret })
  return { clientId, clientSecret }
}

export function tokenOf(world: World, accessToken: string | undefined): FakeToken {
  const token = accessToken === undefined ? undefined : world.tokens.get(accessToken)
  if (!token || token.revoked) throw new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED', 'The access token was rejected.')
  return token
}

/** Refuses where the token's identity may do nothing. */
export function requirePower(world: World, accessToken: string | undefined): void {
  const { identityId } = tokenOf(world, accessToken)
  if (world.powerless.has(identityId)) throw new DomainError('PERMISSION_DENIED', 'NOT_ALLOWED', 'The roles of this token do not allow it.')
}

export function one<Item extends { readonly id: string }>(items: readonly Item[], id: string, reason: string): Item {
  const found = items.find((item) => item.id === id)
  if (!found) throw new DomainError('NOT_FOUND', reason, `There is nothing with the id ${id}.`, { metadata: { id } })
  return found
}

export function page<Item>(items: readonly Item[], { pageSize, pageToken }: { pageSize: number; pageToken: string }) {
  const start = Number(pageToken)
  const end = start + (pageSize === 0 ? 50 : pageSize)
  return { items: items.slice(start, end), nextPageToken: end < items.length ? String(end) : '' }
}

/** Filters by identity, action and start alone. */
export const auditAnswers = (world: World, service: keyof World['audit'], answering: Answering) => ({
  listAuditEvents: answering('listAuditEvents', (request: ListAuditEventsRequest, token) => {
    requirePower(world, token)
    const { identityId, action, startTime } = request
    const asked = world.audit[service].filter((event) =>
      ['', event.actorIdentityId, event.targetId].includes(identityId) && ['', event.action].includes(action) && (!startTime || (event.createTime ?? NOW) >= startTime))
    const { items, nextPageToken } = page(asked, request)
    return ListAuditEventsResponse.fromPartial({ auditEvents: items, nextPageToken })
  }),
})
