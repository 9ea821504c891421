import { randomBytes } from 'node:crypto'
import { systemClock } from '#libs/clock.js'
import { createIds } from '#libs/ids.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { Effect, Operator } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { bearer } from './calls.js'
import type { Headers } from './raw-calls.js'
import { stampOf } from './revisions.js'
import type { System } from './system.js'
import type { Tenant } from './tenant.js'
import { isInternal, type Method, type WireMessage } from './wire.js'
import { untouched } from './untouched.js'

/** As the admin, and on internal ports as the service that may call the method. */
export const senderOf = ({ secrets }: System, { admin }: Tenant) => (method: Method): Headers => {
  if (!isInternal(method)) return bearer(admin.token)
  const { name } = method.desc
  if (name === 'Bootstrap') return { 'countersign-credential': `bootstrap:${secrets.bootstrapCredential}` }
  return { 'countersign-credential': ASKED_BY_EXCHANGE.has(name) ? `auth-exchange:${secrets.exchangeCredential}` : `authorization-check:${secrets.checkCredential}` }
}

const ASKED_BY_EXCHANGE = new Set(['DescribeIdentity', 'CheckCoverage'])

/** A request that is answered with OK when the admin of this organization sends it; each time with things of its own. */
export type Builder = (of: Tenant) => Promise<WireMessage> | WireMessage

const ids = createIds(systemClock)

/** The page that comes after this id. */
export const pageTokenAfter = (id: string): string => Buffer.from(id).toString('base64url')

const everywhere = { cidrs: ['0.0.0.0/0', '::/0'] }
const lifetimes = {
  access_token_ttl_seconds: 60,
  access_token_max_ttl_seconds: 120,
  access_token_use_limit: 1_000,
  access_token_period_seconds: 60,
  access_token_trusted_ips: everywhere,
  client_secret_trusted_ips: everywhere,
  lockout: { enabled: 1, threshold: 3, duration_seconds: 300, counter_reset_seconds: 30 },
}
const window = { start_time: { seconds: 1_000_000_000, nanos: 0 }, end_time: { seconds: 4_000_000_000, nanos: 0 } }
const rules = [
  {
    effect: Effect.ALLOW,
    resources: ['secrets', 'orders'],
    actions: ['read'],
    conditions: [{ attribute: 'path', operator: Operator.IN, values: [{ string_value: '/a' }, { string_value: '/b' }] }],
  },
]
const rolesOf = ({ name, id }: { name: string; id: string }) => [{ role: name, role_id: id, ...window }]
const etagged = ({ id, etag }: { id: string; etag: string }) => ({ id, etag })

const registry: Record<string, readonly Builder[]> = {
  GetOrganization: [() => ({})],
  UpdateOrganization: [
    async ({ tag, admin }) => ({ name: `${tag}-organization`, etag: (await admin.registry(Registry.getOrganization, {})).etag }),
  ],

  CreateProject: [({ fresh }) => ({ name: fresh() })],
  GetProject: [({ projectId }) => ({ id: projectId })],
  ListProjects: [({ earlier, projectName }) => ({ page_size: 10, page_token: pageTokenAfter(earlier.projectId), name: projectName })],
  UpdateProject: [async ({ project, fresh }) => ({ ...etagged(await project()), name: fresh() })],
  DeleteProject: [async ({ project }) => etagged(await project())],

  CreateIdentity: [({ fresh, organizationRole }) => ({ name: fresh(), role: organizationRole.name })],
  GetIdentity: [({ workload }) => ({ id: workload.identityId })],
  ListIdentities: [({ earlier, workload }) => ({ page_size: 10, page_token: pageTokenAfter(earlier.identityId), name: workload.name })],
  UpdateIdentity: [async ({ identity, fresh }) => ({ ...etagged(await identity()), name: fresh() })],
  EnableIdentity: [
    async ({ identity, admin }) => {
      const { id } = await identity()
      await admin.registry(Registry.disableIdentity, { id })
      return { id }
    },
  ],
  DisableIdentity: [async ({ identity }) => ({ id: (await identity()).id })],
  DeleteIdentity: [async ({ identity }) => etagged(await identity())],

  CreateRole: [
    ({ projectId, fresh }) => ({ project_id: projectId, name: fresh(), description: 'what it is for', rules }),
    ({ fresh }) => ({ name: fresh(), rules }),
  ],
  GetRole: [({ projectId, projectRole }) => ({ id: projectRole.id, project_id: projectId }), ({ organizationRole }) => ({ id: organizationRole.id })],
  ListRoles: [
    ({ projectId }) => ({ project_id: projectId, page_size: 10, page_token: pageTokenAfter(projectId) }),
    ({ projectId }) => ({ page_size: 1, page_token: pageTokenAfter(projectId) }),
  ],
  UpdateRole: [
    async ({ projectId, role }) => ({ ...etagged(await role(projectId)), project_id: projectId, description: 'what it is for', rules }),
    async ({ role }) => ({ ...etagged(await role('')), rules }),
  ],
  DeleteRole: [
    async ({ projectId, role }) => ({ ...etagged(await role(projectId)), project_id: projectId }),
    async ({ role }) => etagged(await role('')),
  ],

  CreateBinding: [
    async ({ unboundIdentity, projectId, projectRole }) => {
      return { identity_id: await unboundIdentity(), project_id: projectId, roles: rolesOf(projectRole) }
    },
    async ({ unboundIdentity, organizationRole }) => ({ identity_id: await unboundIdentity(), roles: rolesOf(organizationRole) }),
  ],
  GetBinding: [
    ({ projectId, projectBindingId }) => ({ id: projectBindingId, project_id: projectId }),
    ({ organizationBindingId }) => ({ id: organizationBindingId }),
  ],
  ListBindings: [
    ({ projectId, workload }) => ({ project_id: projectId, identity_id: workload.identityId, page_size: 10, page_token: pageTokenAfter(projectId) }),
    ({ projectId }) => ({ project_id: projectId }),
    ({ workload }) => ({ identity_id: workload.identityId }),
    ({ projectId }) => ({ page_size: 1, page_token: pageTokenAfter(projectId) }),
  ],
  UpdateBinding: [
    async ({ projectId, binding, projectRole }) => ({ ...etagged(await binding(projectId)), project_id: projectId, roles: rolesOf(projectRole) }),
    async ({ binding, organizationRole }) => ({ ...etagged(await binding('')), roles: rolesOf(organizationRole) }),
  ],
  DeleteBinding: [
    async ({ projectId, binding }) => ({ ...etagged(await binding(projectId)), project_id: projectId }),
    async ({ binding }) => etagged(await binding('')),
  ],
}

const exchange: Record<string, readonly Builder[]> = {
  AttachUniversalAuth: [async ({ identity }) => ({ identity_id: (await identity()).id, ...lifetimes })],
  GetUniversalAuth: [({ workload }) => ({ identity_id: workload.identityId })],
  UpdateUniversalAuth: [
    async ({ admin, workload: { identityId } }) => {
      const { etag } = await admin.exchange(Exchange.getUniversalAuth, { identityId })
      return { identity_id: identityId, ...lifetimes, etag }
    },
  ],
  CreateClientSecret: [({ workload }) => ({ identity_id: workload.identityId, description: 'what it is for', ttl_seconds: 60, use_limit: 5 })],
  ListClientSecrets: [
    ({ workload, earlier }) => ({ identity_id: workload.identityId, page_size: 1, page_token: pageTokenAfter(earlier.identityId) }),
  ],
  RevokeClientSecret: [async ({ workload, secretId }) => ({ identity_id: workload.identityId, id: await secretId() })],
  CreatePrincipal: [({ workload, fresh }) => ({ identity_id: workload.identityId, name: `spiffe://${fresh()}` })],
  ListPrincipals: [
    ({ workload, earlier }) => ({ identity_id: workload.identityId, page_size: 1, page_token: pageTokenAfter(earlier.identityId) }),
    ({ earlier }) => ({ page_size: 10, page_token: pageTokenAfter(earlier.identityId) }),
  ],
  DeletePrincipal: [async ({ principalId }) => ({ id: await principalId() })],
  Login: [({ workload }) => ({ universal_auth: { client_id: workload.clientId, client_secret: workload.clientSecret } })],
  RenewAccessToken: [async ({ token }) => ({ access_token: (await token()).accessToken })],
  IntrospectAccessToken: [({ workload }) => ({ access_token: workload.token })],
  ListAccessTokens: [
    async ({ workload, token }) => ({ identity_id: workload.identityId, page_size: 1, page_token: pageTokenAfter((await token()).tokenId) }),
    ({ earlier }) => ({ page_size: 10, page_token: pageTokenAfter(earlier.identityId) }),
  ],
  RevokeAccessToken: [
    async ({ token }) => ({ token_id: (await token()).tokenId }),
    async ({ token }) => ({ access_token: (await token()).accessToken }),
  ],
  // Not of the organization: that would end the very token that all of these are sent with.
  RevokeAccessTokens: [
    async ({ identity }) => ({ identity_id: (await identity()).id }),
    async ({ identity, admin }) => {
      const { id: identityId } = await identity()
      await admin.exchange(Exchange.attachUniversalAuth, { identityId, ...untouched })
      return { auth_method: { identity_id: identityId, method: 'universal-auth' } }
    },
    async ({ workload, secretId }) => ({ client_secret: { identity_id: workload.identityId, id: await secretId() } }),
  ],
  GetJsonWebKeySet: [() => ({})],
}

const check: Record<string, readonly Builder[]> = {
  Check: [
    ({ workload, projectId }) => ({
      access_token: workload.token,
      project_id: projectId,
      action: 'read',
      resource: { type: 'secrets', attributes: { path: { string_value: '/a' } } },
      source_address: '10.1.2.3',
    }),
    ({ workload }) => ({ access_token: workload.token, action: 'read', resource: { type: 'secrets' } }),
    ({ workload }) => ({ access_token: workload.token, action: 'read', resource: { type: 'secrets' }, consistency: { full: {} } }),
    async ({ workload, revision }) => {
      return { access_token: workload.token, action: 'read', resource: { type: 'secrets' }, consistency: { at_least: await revision() } }
    },
  ],
  WaitForRevision: [async ({ revision }) => ({ revision: await revision() })],
}

// A workload's admin is the first identity of its organization: for these requests the caller is a service.
const registryInternal: Record<string, readonly Builder[]> = {
  ResolveGrants: [
    ({ organizationId, workload, projectId }) => ({ organization_id: organizationId, identity_id: workload.identityId, project_id: projectId }),
    ({ organizationId, workload }) => ({ organization_id: organizationId, identity_id: workload.identityId }),
  ],
  ResolveRole: [
    ({ organizationId, projectRole }) => ({ organization_id: organizationId, role_id: projectRole.id }),
    ({ organizationId, organizationRole }) => ({ organization_id: organizationId, role_id: organizationRole.id }),
  ],
  DescribeIdentity: [({ organizationId, workload }) => ({ organization_id: organizationId, identity_id: workload.identityId })],
  CheckCoverage: [
    ({ organizationId, earlier, workload }) => ({
      organization_id: organizationId,
      caller_identity_id: earlier.identityId,
      identity_id: workload.identityId,
      resource: 'client-secret',
    }),
  ],
  Bootstrap: [
    ({ organizationId, workload, tag }) => ({
      organization_id: organizationId,
      organization_name: `${tag}-organization`,
      identity_id: workload.identityId,
      identity_name: workload.name,
    }),
  ],
}

const exchangeInternal: Record<string, readonly Builder[]> = {
  DescribeToken: [({ workload }) => ({ access_token: workload.token })],
  ConsumeUse: [({ workload }) => ({ access_token: workload.token, source_address: '127.0.0.1' })],
  DescribePrincipal: [({ organizationId, workload }) => ({ organization_id: organizationId, name: workload.principal })],
  Bootstrap: [
    async ({ organizationId, identity }) => ({
      organization_id: organizationId,
      identity_id: (await identity()).id,
      client_id: ids.next(),
      client_secret: secretText(ids.next(), randomBytes(32)),
    }),
  ],
}

const changeFeed: Record<string, readonly Builder[]> = {
  PullChanges: [
    () => ({}),
    // All changes of everybody.
    async ({ revision }) => ({ epoch: stampOf(await revision()).epoch, after: 0 }),
  ],
}

const named = (service: string, builders: Record<string, readonly Builder[]>): [string, readonly Builder[]][] =>
  Object.entries(builders).map(([method, variants]) => [`${service}.${method}`, variants])

/** Valid requests for every method of this product, in as many variants as it takes to fill every field that names something. */
export const VALID_REQUESTS: ReadonlyMap<string, readonly Builder[]> = new Map([
  ...named('IdentityRegistryService', registry),
  ...named('AuthExchangeService', exchange),
  ...named('AuthorizationCheckService', check),
  ...named('RegistryInternalService', registryInternal),
  ...named('ExchangeInternalService', exchangeInternal),
  ...named('ChangeFeedService', changeFeed),
])
