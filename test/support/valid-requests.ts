import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { Effect, Operator } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { bearer } from './calls.js'
import type { Headers } from './raw-calls.js'
import { auditEvents, type Builder, pageTokenAfter, window } from './request-builder.js'
import type { System } from './system.js'
import type { Tenant } from './tenant.js'
import { exchange } from './valid-exchange-requests.js'
import { changeFeed, exchangeInternal, registryInternal } from './valid-internal-requests.js'
import { isInternal, type Method } from './wire.js'

/** As the admin, and on internal ports as the service that may call the method. */
export const senderOf = ({ secrets }: System, { admin }: Tenant) => (method: Method): Headers => {
  if (!isInternal(method)) return bearer(admin.token)
  const { name } = method.desc
  if (BY_OPERATOR.has(name)) return { 'countersign-credential': `bootstrap:${secrets.bootstrapCredential}` }
  return { 'countersign-credential': ASKED_BY_EXCHANGE.has(name) ? `auth-exchange:${secrets.exchangeCredential}` : `authorization-check:${secrets.checkCredential}` }
}

const BY_OPERATOR = new Set(['Bootstrap', 'ListSigningKeys', 'RotateSigningKey', 'RevokeSigningKey'])
const ASKED_BY_EXCHANGE = new Set(['DescribeIdentity', 'CheckCoverage'])

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
