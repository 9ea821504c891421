import { DomainError } from '#libs/domain-error.js'
import { AccessToken, type CreateAccessTokenRequest, CreateAccessTokenResponse, type UpdateAccessTokenRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import {
  type AttachAuthMethodRequest,
  AuthMethod,
  type GetAuthMethodRequest,
  type ListAuthMethodsRequest,
  ListAuthMethodsResponse,
  type RemoveAuthMethodRequest,
  RemoveAuthMethodResponse,
  type UpdateAuthMethodRequest,
} from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { type Answering, NOW, requirePower, type World } from './fake-world.js'

const LATER = new Date('2036-01-02T03:04:05Z')

export const authMethodAnswers = (world: World, answering: Answering) => ({
  attachAuthMethod: answering('attachAuthMethod', (request: AttachAuthMethodRequest, token) => {
    requirePower(world, token)
    const method = AuthMethod.fromPartial({ ...STANDARD, ...given(request), identityId: request.identityId, method: (request.configuration?.$case ?? '').replace('A', '-a'), id: world.ids.next(), createTime: NOW })
    world.authMethods.push(method)
    return method
  }),
  getAuthMethod: answering('getAuthMethod', (request: GetAuthMethodRequest, token) => {
    requirePower(world, token)
    return methodOf(world, request)
  }),
  listAuthMethods: answering('listAuthMethods', ({ identityId }: ListAuthMethodsRequest, token) => {
    requirePower(world, token)
    return ListAuthMethodsResponse.fromPartial({ authMethods: world.authMethods.filter((one) => one.identityId === identityId) })
  }),
  updateAuthMethod: answering('updateAuthMethod', (request: UpdateAuthMethodRequest, token) => {
    requirePower(world, token)
    return Object.assign(methodOf(world, request), given(request))
  }),
  removeAuthMethod: answering('removeAuthMethod', (request: RemoveAuthMethodRequest, token) => {
    requirePower(world, token)
    world.authMethods.splice(world.authMethods.indexOf(methodOf(world, request)), 1)
    return RemoveAuthMethodResponse.fromPartial({ revision: 'exchange.0.0000000000000000.1' })
  }),
  createAccessToken: answering('createAccessToken', ({ identityId, name }: CreateAccessTokenRequest, token) => {
    requirePower(world, token)
    methodOf(world, { identityId, method: 'token-auth' })
    const tokenId = world.ids.next()
    const accessToken = `header.${tokenId}.shown-once`
    world.tokens.set(accessToken, { tokenId, identityId, revoked: false, name })
    return CreateAccessTokenResponse.fromPartial({ accessToken, tokenId, expiresInSeconds: 3600, expireTime: NOW, maxExpireTime: LATER })
  }),
  updateAccessToken: answering('updateAccessToken', ({ tokenId, name }: UpdateAccessTokenRequest, token) => {
    requirePower(world, token)
    const found = [...world.tokens].find(([, one]) => one.tokenId === tokenId)
    if (!found) throw new DomainError('NOT_FOUND', 'TOKEN_NOT_FOUND', 'There is no such token.')
    world.tokens.set(found[0], { ...found[1], name })
    return AccessToken.fromPartial({ id: tokenId, name })
  }),
})

const STANDARD = { accessTokenTtlSeconds: 3600, accessTokenMaxTtlSeconds: 86_400, accessTokenTrustedIps: { cidrs: ['0.0.0.0/0', '::/0'] } }

const given = ({ accessTokenTtlSeconds, accessTokenMaxTtlSeconds, accessTokenUseLimit, accessTokenPeriodSeconds, accessTokenTrustedIps, configuration }: AttachAuthMethodRequest | UpdateAuthMethodRequest) => ({
  ...(accessTokenTtlSeconds !== undefined && { accessTokenTtlSeconds }),
  ...(accessTokenMaxTtlSeconds !== undefined && { accessTokenMaxTtlSeconds }),
  ...(accessTokenUseLimit !== undefined && { accessTokenUseLimit }),
  ...(accessTokenPeriodSeconds !== undefined && { accessTokenPeriodSeconds }),
  ...(accessTokenTrustedIps !== undefined && { accessTokenTrustedIps }),
  ...(configuration !== undefined && { configuration }),
})

function methodOf(world: World, { identityId, method }: GetAuthMethodRequest): AuthMethod {
  const found = world.authMethods.find((one) => one.identityId === identityId && one.method === method)
  if (!found) throw new DomainError('NOT_FOUND', 'AUTH_METHOD_NOT_FOUND', 'The identity has no such auth method.')
  return found
}
