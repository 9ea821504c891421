import { randomBytes } from 'node:crypto'
import { systemClock } from '#libs/clock.js'
import { createIds } from '#libs/ids.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { Effect, Operator } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { bearer } from './calls.js'
import type { Headers } from './raw-calls.js'
import { auditEvents, type Builder, pageTokenAfter, window } from './request-builder.js'
import { stampOf } from './revisions.js'
import type { System } from './system.js'
import type { Tenant } from './tenant.js'
import { isInternal, type Method } from './wire.js'
import { exchange } from './valid-exchange-requests.js'

/** As the admin, and on internal ports as the service that may call the method. */
export const senderOf = ({ secrets }: System, { admin }: Tenant) => (method: Method): Headers => {
  if (!isInternal(method)) return bearer(admin.token)
  const { name } = method.desc
  if (BY_OPERATOR.has(name)) return { 'countersign-credential': `bootstrap:${secrets.bootstrapCredential}` }
  return { 'countersign-credential': ASKED_BY_EXCHANGE.has(name) ? `auth-exchange:${secrets.exchangeCredential}` : `authorization-check:${secrets.checkCredential}` }
}

const BY_OPERATOR = new Set(['Bootstrap', 'ListSigningKeys', 'RotateSigningKey', 'RevokeSigningKey'])
const ASKED_BY_EXCHANGE = new Set(['DescribeIdentity', 'CheckCoverage'])

const ids = createIds(systemClock)

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

  ListAuditEvents: auditEvents,
}

const check: Record<string, readonly Builder[]> = {
  Check: [
    ({ workload, projectId }) => ({
      access_token: workload.token,
      project_id: projectId,
      action: 'read',
      resource: { type: 'secrets', attributes: { path: { string_value: '/a' } } },
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
  DescribePrincipal: [({ organizationId, workload }) => ({ organization_id: organizationId, name: workload.principal })],
  Bootstrap: [
    async ({ organizationId, identity }) => ({
      organization_id: organizationId,
      identity_id: (await identity()).id,
      client_id: ids.next(),
      client_secret: secretText(ids.next(), randomBytes(32)),
    }),
  ],
  ListSigningKeys: [() => ({})],
  RotateSigningKey: [() => ({ at_once: 1 })],
  RevokeSigningKey: [async ({ preparedKid }) => ({ kid: await preparedKid() })],
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
