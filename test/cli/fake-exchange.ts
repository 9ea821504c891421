import { DomainError } from '#libs/domain-error.js'
import {
  type IntrospectAccessTokenRequest,
  IntrospectAccessTokenResponse,
  type ListAccessTokensRequest,
  ListAccessTokensResponse,
  type LoginRequest,
  LoginResponse,
  type RenewAccessTokenRequest,
  RenewAccessTokenResponse,
  type RevokeAccessTokenRequest,
  RevokeAccessTokenResponse,
  type RevokeAccessTokensRequest,
  RevokeAccessTokensResponse,
} from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import {
  ClientSecret,
  type CreateClientSecretRequest,
  CreateClientSecretResponse,
  type GetClientSecretRequest,
  type ListClientSecretsRequest,
  ListClientSecretsResponse,
  type RevokeClientSecretRequest,
  type RotateClientSecretRequest,
  RotateClientSecretResponse,
  type UnwrapClientSecretRequest,
  UnwrapClientSecretResponse,
} from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { type ClearLockoutsRequest, ClearLockoutsResponse, type ListLockoutsRequest, ListLockoutsResponse } from '#libs/wire/gen/countersign/exchange/v1/lockout.js'
import {
  type CreatePrincipalRequest,
  CreatePrincipalResponse,
  type DeletePrincipalRequest,
  DeletePrincipalResponse,
  type ListPrincipalsRequest,
  ListPrincipalsResponse,
  Principal,
} from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import {
  type AttachUniversalAuthRequest,
  type GetUniversalAuthRequest,
  UniversalAuth,
  type UpdateUniversalAuthRequest,
} from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import { authMethodAnswers } from './fake-auth-methods.js'
import { type Answering, auditAnswers, NOW, one, page, requirePower, tokenOf, type World } from './fake-world.js'

const TOKEN_SECONDS = 3600

export const exchangeAnswers = (world: World, answering: Answering) => ({
  ...methodAnswers(world, answering),
  ...authMethodAnswers(world, answering),
  ...secretAnswers(world, answering),
  ...principalAnswers(world, answering),
  ...lockoutAnswers(world, answering),
  ...auditAnswers(world, 'exchange', answering),
  ...tokenAnswers(world, answering),
})

function methodOf(world: World, identityId: string): UniversalAuth {
  const method = world.methods.find((each) => each.identityId === identityId)
  if (!method) throw new DomainError('NOT_FOUND', 'AUTH_METHOD_NOT_FOUND', 'The identity has no auth method.')
  return method
}

const methodAnswers = (world: World, answering: Answering) => ({
  attachUniversalAuth: answering('attachUniversalAuth', (request: AttachUniversalAuthRequest, token) => {
    requirePower(world, token)
    if (world.methods.some(({ identityId }) => identityId === request.identityId)) {
      throw new DomainError('ALREADY_EXISTS', 'AUTH_METHOD_EXISTS', 'The identity has Universal Auth already.')
    }
    const { identityId, accessTokenTtlSeconds = 3600, accessTokenMaxTtlSeconds = 86_400 } = request
    const method = { identityId, clientId: world.ids.next(), accessTokenTtlSeconds, accessTokenMaxTtlSeconds, createTime: NOW }
    world.methods.push(UniversalAuth.fromPartial(method))
    return UniversalAuth.fromPartial(method)
  }),
  getUniversalAuth: answering('getUniversalAuth', ({ identityId }: GetUniversalAuthRequest, token) => {
    requirePower(world, token)
    return methodOf(world, identityId)
  }),
  updateUniversalAuth: answering('updateUniversalAuth', ({ identityId, ...given }: UpdateUniversalAuthRequest, token) => {
    requirePower(world, token)
    const settings = Object.fromEntries(Object.entries(given).filter(([name, value]) => name !== 'etag' && value !== undefined))
    return Object.assign(methodOf(world, identityId), settings, { updateTime: NOW })
  }),
})

const textOf = ({ id }: ClientSecret): string => `csk_${id}_shown-once`

/** Keeps a new secret, which logs in from now on, and shows it or its wrapping token. */
function shownOf(world: World, clientSecret: ClientSecret, { wrapTtlSeconds }: { readonly wrapTtlSeconds: number }) {
  const { clientId } = methodOf(world, clientSecret.identityId)
  const secret = textOf(clientSecret)
  world.secrets.push(clientSecret)
  world.logins.set(clientId, { identityId: clientSecret.identityId, clientSecret: secret })
  if (wrapTtlSeconds === 0) return { secret }
  return { wrappingToken: `csw_${clientSecret.id}`, wrappingExpireTime: new Date(NOW.getTime() + wrapTtlSeconds * 1000) }
}

const secretAnswers = (world: World, answering: Answering) => ({
  createClientSecret: answering('createClientSecret', (request: CreateClientSecretRequest, token) => {
    requirePower(world, token)
    const { identityId, description, useLimit, ttlSeconds } = request
    const { clientId } = methodOf(world, identityId)
    const id = world.ids.next()
    const expireTime = ttlSeconds === 0 ? undefined : new Date(Date.now() + ttlSeconds * 1000)
    const clientSecret = ClientSecret.fromPartial({ id, identityId, description, useLimit, createTime: NOW, expireTime })
    if (request.trustedIps) clientSecret.trustedIps = request.trustedIps
    return CreateClientSecretResponse.fromPartial({ clientSecret, clientId, ...shownOf(world, clientSecret, request) })
  }),
  getClientSecret: answering('getClientSecret', ({ id }: GetClientSecretRequest, token) => {
    requirePower(world, token)
    return one(world.secrets, id, 'CLIENT_SECRET_NOT_FOUND')
  }),
  rotateClientSecret: answering('rotateClientSecret', (request: RotateClientSecretRequest, token) => {
    requirePower(world, token)
    const predecessor = one(world.secrets, request.id, 'CLIENT_SECRET_NOT_FOUND')
    const clientSecret = ClientSecret.fromPartial({ ...predecessor, id: world.ids.next() })
    predecessor.successorId = clientSecret.id
    predecessor.expireTime = new Date(NOW.getTime() + (request.overlapSeconds ?? 3600) * 1000)
    const { clientId } = methodOf(world, request.identityId)
    return RotateClientSecretResponse.fromPartial({ clientSecret, predecessor, clientId, ...shownOf(world, clientSecret, request) })
  }),
  unwrapClientSecret: answering('unwrapClientSecret', ({ wrappingToken }: UnwrapClientSecretRequest) => {
    const { organizationId } = world
    const clientSecret = world.secrets.find(({ id }) => wrappingToken === `csw_${id}`)
    if (!clientSecret) throw new DomainError('UNAUTHENTICATED', 'WRAPPING_TOKEN_REJECTED', 'The wrapping token is not valid.')
    const { id: clientSecretId, identityId } = clientSecret
    return UnwrapClientSecretResponse.fromPartial({ organizationId, identityId, clientId: methodOf(world, identityId).clientId, clientSecretId, secret: textOf(clientSecret) })
  }),
  listClientSecrets: answering('listClientSecrets', (request: ListClientSecretsRequest, token) => {
    requirePower(world, token)
    const { items, nextPageToken } = page(world.secrets.filter(({ identityId }) => identityId === request.identityId), request)
    return ListClientSecretsResponse.fromPartial({ clientSecrets: items, nextPageToken })
  }),
  revokeClientSecret: answering('revokeClientSecret', ({ id }: RevokeClientSecretRequest, token) => {
    requirePower(world, token)
    const secret = one(world.secrets, id, 'CLIENT_SECRET_NOT_FOUND')
    secret.revokeTime = NOW
    return secret
  }),
})

const principalAnswers = (world: World, answering: Answering) => ({
  createPrincipal: answering('createPrincipal', ({ identityId, name }: CreatePrincipalRequest, token) => {
    requirePower(world, token)
    const principal = Principal.fromPartial({ id: world.ids.next(), organizationId: world.organizationId, identityId, name, createTime: NOW })
    world.principals.push(principal)
    return CreatePrincipalResponse.fromPartial({ principal })
  }),
  listPrincipals: answering('listPrincipals', (request: ListPrincipalsRequest, token) => {
    requirePower(world, token)
    const { items, nextPageToken } = page(world.principals.filter(({ identityId }) => ['', identityId].includes(request.identityId)), request)
    return ListPrincipalsResponse.fromPartial({ principals: items, nextPageToken })
  }),
  deletePrincipal: answering('deletePrincipal', ({ id }: DeletePrincipalRequest, token) => {
    requirePower(world, token)
    world.principals.splice(world.principals.indexOf(one(world.principals, id, 'PRINCIPAL_NOT_FOUND')), 1)
    return DeletePrincipalResponse.fromPartial({})
  }),
})

const lockoutAnswers = (world: World, answering: Answering) => ({
  listLockouts: answering('listLockouts', (request: ListLockoutsRequest, token) => {
    requirePower(world, token)
    const lockouts = world.lockouts.filter(({ identityId }) => identityId === request.identityId)
    return ListLockoutsResponse.fromPartial({ lockouts, totalCount: lockouts.length })
  }),
  clearLockouts: answering('clearLockouts', ({ identityId }: ClearLockoutsRequest, token) => {
    requirePower(world, token)
    return ClearLockoutsResponse.fromPartial({ clearedCount: world.lockouts.splice(0).filter((lockout) => lockout.identityId === identityId).length })
  }),
})

const tokenAnswers = (world: World, answering: Answering) => ({
  login: answering('login', ({ proof }: LoginRequest) => {
    const shown = proof?.$case === 'universalAuth' ? proof.value : undefined
    const known = shown && world.logins.get(shown.clientId)
    if (known?.clientSecret !== shown?.clientSecret || !known) {
      throw new DomainError('UNAUTHENTICATED', 'CREDENTIALS_REJECTED', 'Client credentials were rejected.')
    }
    const tokenId = world.ids.next()
    const accessToken = `header.${tokenId}.signature`
    world.tokens.set(accessToken, { tokenId, identityId: known.identityId, revoked: false })
    const expireTime = new Date(Date.now() + TOKEN_SECONDS * 1000)
    return LoginResponse.fromPartial({ accessToken, tokenId, expiresInSeconds: TOKEN_SECONDS, expireTime })
  }),
  renewAccessToken: answering('renewAccessToken', ({ accessToken }: RenewAccessTokenRequest) => {
    const token = tokenOf(world, accessToken)
    const renewed = `header.${token.tokenId}.${world.ids.next()}`
    world.tokens.set(renewed, token)
    const expireTime = new Date(Date.now() + TOKEN_SECONDS * 1000)
    return RenewAccessTokenResponse.fromPartial({ accessToken: renewed, tokenId: token.tokenId, expiresInSeconds: TOKEN_SECONDS, expireTime, maxExpireTime: NOW })
  }),
  introspectAccessToken: answering('introspectAccessToken', ({ accessToken }: IntrospectAccessTokenRequest, token) => {
    requirePower(world, token)
    const shown = world.tokens.get(accessToken)
    if (!shown || shown.revoked) return IntrospectAccessTokenResponse.fromPartial({ active: false })
    const { tokenId, identityId } = shown
    return IntrospectAccessTokenResponse.fromPartial({ active: true, tokenId, identityId, method: 'universal-auth', issueTime: NOW, expireTime: NOW, maxExpireTime: NOW, useLimit: 10, uses: 3, periodSeconds: 60 })
  }),
  listAccessTokens: answering('listAccessTokens', (request: ListAccessTokensRequest, token) => {
    requirePower(world, token)
    const live = [...world.tokens.values()].filter(({ identityId, revoked }) => !revoked && ['', identityId].includes(request.identityId))
    const { items, nextPageToken } = page(live.map(({ tokenId: id, identityId, name = '' }) => ({ id, identityId, name, credentialId: 'a-secret', createTime: NOW, expireTime: NOW, useLimit: 10, uses: 3, lastUsedTime: NOW })), request)
    return ListAccessTokensResponse.fromPartial({ accessTokens: items, nextPageToken })
  }),
  revokeAccessTokens: answering('revokeAccessTokens', ({ of }: RevokeAccessTokensRequest, token) => {
    requirePower(world, token)
    world.revokedAll.push(of)
    return RevokeAccessTokensResponse.fromPartial({ revision: 'exchange.0.0000000000000000.1' })
  }),
  revokeAccessToken: answering('revokeAccessToken', ({ target }: RevokeAccessTokenRequest, token) => {
    if (target?.$case === 'tokenId') requirePower(world, token)
    const byId = () => [...world.tokens.values()].find(({ tokenId }) => tokenId === target?.value)
    const revoked = target?.$case === 'accessToken' ? tokenOf(world, target.value) : byId()
    if (!revoked) throw new DomainError('NOT_FOUND', 'TOKEN_NOT_FOUND', 'There is no such token.')
    revoked.revoked = true
    return RevokeAccessTokenResponse.fromPartial({})
  }),
})
