import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { auditEvents, type Builder, pageTokenAfter } from './request-builder.js'
import { clusterOf, jwtOf, oidcOf } from './assertion-methods.js'
import { sharedStandIns } from './stand-ins.js'
import { untouched, untouchedTokens } from './untouched.js'

const everywhere = { cidrs: ['0.0.0.0/0', '::/0'] }
const lifetimes = {
  access_token_ttl_seconds: 60,
  access_token_max_ttl_seconds: 120,
  access_token_use_limit: 1_000,
  access_token_period_seconds: 60,
  access_token_trusted_ips: everywhere,
}
const universalAuth = {
  ...lifetimes,
  client_secret_trusted_ips: everywhere,
  lockout: { enabled: 1, threshold: 3, duration_seconds: 300, counter_reset_seconds: 30 },
}

const kubernetesAuth = async () => {
  const { cluster: { host, caCertificate }, reviewerToken } = await sharedStandIns()
  return { host, ca_certificate: caCertificate, audiences: ['countersign'], namespaces: ['billing'], names: ['worker'], reviewer_token: reviewerToken, has_reviewer_token: 1 }
}
const rules = {
  audiences: ['countersign'],
  subject: 'job-*',
  bound_claims: [{ path: 'environment', globs: ['production'] }],
  max_assertion_life_seconds: 600,
}
const oidcAuth = async () => {
  const { issuer: { url, caCertificate } } = await sharedStandIns()
  return { issuer: url, ca_certificate: caCertificate, ...rules }
}
const jwtAuth = async () => ({ ...(await oidcAuth()), jwks_url: `${(await sharedStandIns()).issuer.url}/jwks` })
const writtenJwtAuth = async () => {
  const { issuer } = await sharedStandIns()
  return { issuer: 'anybody', public_keys: [String(issuer.publicKey().export({ format: 'pem', type: 'spki' }))], ...rules }
}
const configurations = [
  async () => ({ kubernetes_auth: await kubernetesAuth() }),
  async () => ({ oidc_auth: await oidcAuth() }),
  async () => ({ jwt_auth: await jwtAuth() }),
  async () => ({ jwt_auth: await writtenJwtAuth() }),
]

/** A login of an identity of its own by an assertion that is good for no other. */
const assertionLogin = ($case: 'kubernetesAuth' | 'oidcAuth' | 'jwtAuth', field: string): Builder => async ({ identity, admin }) => {
  const { issuer, cluster, reviewerToken } = await sharedStandIns()
  const { id: identityId } = await identity()
  const assertion = await issuer.issue({ iss: issuer.url, aud: 'countersign', sub: `job-${identityId}`, exp: Math.floor(Date.now() / 1000) + 600 })
  const jwt = $case === 'kubernetesAuth' ? cluster.tokenOf({ namespace: 'billing', name: identityId, uid: 'u', audiences: ['countersign'] }) : assertion
  const configuration = {
    kubernetesAuth: clusterOf(cluster, { reviewerToken, names: [identityId] }),
    oidcAuth: oidcOf(issuer, { subject: `job-${identityId}` }),
    jwtAuth: jwtOf({ subject: `job-${identityId}`, issuer: issuer.url, jwksUrl: `${issuer.url}/jwks`, caCertificate: issuer.caCertificate }),
  }[$case]
  await admin.exchange(Exchange.attachAuthMethod, { identityId, ...untouchedTokens, configuration })
  return { [field]: { identity_id: identityId, jwt } }
}

/** Of the public methods of auth-exchange. */
export const exchange: Record<string, readonly Builder[]> = {
  AttachUniversalAuth: [async ({ identity }) => ({ identity_id: (await identity()).id, ...universalAuth })],
  GetUniversalAuth: [({ workload }) => ({ identity_id: workload.identityId })],
  UpdateUniversalAuth: [
    async ({ admin, workload: { identityId } }) => {
      const { etag } = await admin.exchange(Exchange.getUniversalAuth, { identityId })
      return { identity_id: identityId, ...universalAuth, etag }
    },
  ],
  AttachAuthMethod: [
    async ({ identity }) => ({ identity_id: (await identity()).id, ...lifetimes, token_auth: {} }),
    ...configurations.map((configuration): Builder => async ({ identity }) => ({ identity_id: (await identity()).id, ...(await configuration()) })),
  ],
  GetAuthMethod: [
    ({ workload }) => ({ identity_id: workload.identityId, method: 'universal-auth' }),
    async ({ tokenAuth }) => ({ identity_id: (await tokenAuth()).identityId, method: 'token-auth' }),
  ],
  ListAuthMethods: [({ workload }) => ({ identity_id: workload.identityId })],
  UpdateAuthMethod: [
    async ({ tokenAuth }) => {
      const { identityId, etag } = await tokenAuth()
      return { identity_id: identityId, method: 'token-auth', etag, ...lifetimes, token_auth: {} }
    },
    ...configurations.map((made): Builder => async ({ identity, admin }) => {
      const { id: identityId } = await identity()
      const [field = '', value] = Object.entries(await made())[0] ?? []
      const { issuer, cluster } = await sharedStandIns()
      const configuration = { kubernetes_auth: clusterOf(cluster), oidc_auth: oidcOf(issuer), jwt_auth: jwtOf({ jwksUrl: 'https://issuer.example/jwks' }) }[field]
      await admin.exchange(Exchange.attachAuthMethod, { identityId, ...untouchedTokens, configuration })
      return { identity_id: identityId, method: field.replace('_', '-'), [field]: value }
    }),
  ],
  RemoveAuthMethod: [
    async ({ tokenAuth }) => ({ identity_id: (await tokenAuth()).identityId, method: 'token-auth' }),
    async ({ identity, admin }) => {
      const { id: identityId } = await identity()
      await admin.exchange(Exchange.attachUniversalAuth, { identityId, ...untouched })
      return { identity_id: identityId, method: 'universal-auth' }
    },
  ],
  CreateClientSecret: [({ workload }) => ({ identity_id: workload.identityId, description: 'what it is for', ttl_seconds: 60, use_limit: 5, trusted_ips: everywhere, wrap_ttl_seconds: 60 })],
  GetClientSecret: [({ workload }) => ({ identity_id: workload.identityId, id: workload.secretId })],
  RotateClientSecret: [async ({ workload, secretId }) => ({ identity_id: workload.identityId, id: await secretId(), overlap_seconds: 60, wrap_ttl_seconds: 60 })],
  UnwrapClientSecret: [async ({ wrappingToken }) => ({ wrapping_token: await wrappingToken() })],
  ListLockouts: [({ workload }) => ({ identity_id: workload.identityId })],
  ClearLockouts: [({ workload }) => ({ identity_id: workload.identityId })],
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
  Login: [
    ({ workload }) => ({ universal_auth: { client_id: workload.clientId, client_secret: workload.clientSecret } }),
    assertionLogin('kubernetesAuth', 'kubernetes_auth'),
    assertionLogin('oidcAuth', 'oidc_auth'),
    assertionLogin('jwtAuth', 'jwt_auth'),
  ],
  RenewAccessToken: [async ({ token }) => ({ access_token: (await token()).accessToken })],
  CreateAccessToken: [async ({ tokenAuth, fresh }) => ({ identity_id: (await tokenAuth()).identityId, name: fresh() })],
  UpdateAccessToken: [
    async ({ tokenAuth, admin, fresh }) => {
      const { identityId } = await tokenAuth()
      return { token_id: (await admin.exchange(Exchange.createAccessToken, { identityId, name: fresh() })).tokenId, name: fresh() }
    },
  ],
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
    async ({ tokenAuth }) => ({ auth_method: { identity_id: (await tokenAuth()).identityId, method: 'token-auth' } }),
    async ({ workload, secretId }) => ({ client_secret: { identity_id: workload.identityId, id: await secretId() } }),
  ],
  ListAuditEvents: auditEvents,
  GetJsonWebKeySet: [() => ({})],
}
