import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RevokeAccessTokensRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { AuthMethod } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { identityNotFound, invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID } from '../support/builders.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { BOUNDED, type Session, startSystem, type System } from '../support/system.js'
import { makeToken, makeTokenAuth } from '../support/token-auth.js'
import { standardTokenAuth, untouchedTokens } from '../support/untouched.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const newTokenAuth = (settings: Omit<Parameters<typeof makeTokenAuth>[1], 'name'> = {}) => makeTokenAuth(admin, { name: next(), ...settings })
const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const check = (token: string) => system.check(token, 'read', 'secrets')
const renew = (accessToken: string) => system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
const introspect = (accessToken: string) => admin.exchange(Exchange.introspectAccessToken, { accessToken })
const list = async (identityId: string) => (await admin.exchange(Exchange.listAccessTokens, { identityId, pageSize: 0, pageToken: '' })).accessTokens

describe('CreateAccessToken', () => {
  describe('answers', () => {
    it('with a token of the identity that is good at once', async () => {
      const method = await newTokenAuth()
      const { identityId, id: credentialId } = method
      const now = system.clock.now()
      const made = await makeToken(admin, method)
      const seconds = Math.floor(now.getTime() / 1000)
      expect(made).toEqual({
        accessToken: expect.any(String),
        tokenId: expect.any(String),
        expiresInSeconds: 3600,
        expireTime: new Date((seconds + 3600) * 1000),
        maxExpireTime: new Date((seconds + 86_400) * 1000),
      })
      const { organizationId: org } = system.admin
      const claims = { sub: identityId, org, jti: made.tokenId, sid: credentialId, amr: ['token-auth'], client_id: identityId, iat: seconds, exp: seconds + 3600 }
      expect(decodeJwt(made.accessToken)).toMatchObject(claims)
      expect(await check(made.accessToken)).toMatchObject({ identityId, tokenId: made.tokenId })
      expect(await introspect(made.accessToken)).toMatchObject({ active: true, identityId, method: 'token-auth', credentialId })
    })

    it('and it is listed by its name, which others may have too', async () => {
      const method = await newTokenAuth()
      const [one, other] = [await makeToken(admin, method, 'CI of main'), await makeToken(admin, method, 'CI of main')]
      const { identityId, id: credentialId } = method
      const listed = { identityId, method: 'token-auth', credentialId, name: 'CI of main', revision: '' }
      expect(await list(identityId)).toMatchObject([{ id: other.tokenId, ...listed }, { id: one.tokenId, ...listed }])
    })

    it('and its holder renews it up to the maximum TTL, or without end where it is periodic', async () => {
      const [bounded, periodic] = [await newTokenAuth({ accessTokenTtlSeconds: 60, accessTokenMaxTtlSeconds: 90 }), await newTokenAuth({ accessTokenPeriodSeconds: 60 })]
      const [ends, goesOn] = [await makeToken(admin, bounded), await makeToken(admin, periodic)]
      expect(goesOn).toMatchObject({ expiresInSeconds: 60, maxExpireTime: undefined })
      system.clock.advance(50 * SECOND)
      const [last, second] = [await renew(ends.accessToken), await renew(goesOn.accessToken)]
      expect([last.expireTime, second.expiresInSeconds]).toEqual([ends.maxExpireTime, 60])
      await expect(renew(last.accessToken)).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'TOKEN_NOT_RENEWABLE' })
      system.clock.advance(50 * SECOND)
      const { accessToken: third } = await renew(second.accessToken)
      expect(await check(third)).toMatchObject({ identityId: periodic.identityId })
      await expect(check(last.accessToken)).rejects.toMatchObject(rejected)
    })

    it('and it keeps what it was made with when the method changes', async () => {
      const method = await newTokenAuth()
      const { accessToken } = await makeToken(admin, method)
      const change = { ...untouchedTokens, accessTokenTtlSeconds: 60, configuration: undefined }
      await admin.exchange(Exchange.updateAuthMethod, { identityId: method.identityId, method: 'token-auth', etag: '', ...change })
      system.clock.advance(HOUR - SECOND)
      expect(await check(accessToken)).toMatchObject({ identityId: method.identityId })
      admin = await system.session(system.admin)
      expect(await makeToken(admin, method)).toMatchObject({ expiresInSeconds: 60 })
    })
  })

  describe('refuses, and makes nothing,', () => {
    const refusedOf = async (identityId: string, refusal: object, name = 'ci') => {
      const before = await contentOf(system.databases.superuserUrl, 'exchange')
      await expect(makeToken(admin, { identityId }, name)).rejects.toMatchObject(refusal)
      expect(await contentOf(system.databases.superuserUrl, 'exchange')).toEqual(before)
    }

    it('an identity that there is not in the organization', async () => {
      const foreign = await makeTokenAuth(await system.session(await system.newOrganization()), { name: next() })
      for (const id of [UNKNOWN_ID, foreign.identityId]) await refusedOf(id, identityNotFound)
    })

    it('an identity without Token Auth', async () => {
      const { identityId } = await makeWorkload(admin, { name: next() })
      await refusedOf(identityId, { kind: 'NOT_FOUND', reason: 'AUTH_METHOD_NOT_FOUND', metadata: { identityId, method: 'token-auth' } })
    })

    it('a disabled identity', async () => {
      const { identityId } = await newTokenAuth()
      await system.everywhere(admin.registry(Registry.disableIdentity, { id: identityId }))
      await expect(makeToken(admin, { identityId })).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'IDENTITY_NOT_ACTIVE' })
    })

    it('a request with everything wrong, naming all of it', async () => {
      await refusedOf('x', invalid('identity_id', 'name'), '')
    })
  })
})

type End = (made: { readonly method: AuthMethod; readonly tokenId: string }) => Promise<{ readonly revision: string }>

const revokeAll = (of: RevokeAccessTokensRequest['of']) => admin.exchange(Exchange.revokeAccessTokens, { of })
const remove = ({ identityId }: AuthMethod) => admin.exchange(Exchange.removeAuthMethod, { identityId, method: 'token-auth' })

// What a token of Token Auth rests on. The three about its method were seen to fail with the method left out of what makes a token
// live (store/standing.ts).
const ENDS: readonly (readonly [string, End])[] = [
  ['it is revoked', ({ tokenId }) => admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })],
  ['its method is removed', ({ method }) => remove(method)],
  ['its method was removed and attached again', async ({ method: { identityId } }) => {
    await admin.exchange(Exchange.removeAuthMethod, { identityId, method: 'token-auth' })
    return admin.exchange(Exchange.attachAuthMethod, { identityId, ...standardTokenAuth })
  }],
  ['all tokens of its method are revoked', ({ method: { identityId } }) => revokeAll({ $case: 'authMethod', value: { identityId, method: 'token-auth' } })],
  ['all tokens of its identity are revoked', ({ method }) => revokeAll({ $case: 'identityId', value: method.identityId })],
  ['all tokens of the organization are revoked', () => revokeAll({ $case: 'organization', value: {} })],
  ['its identity is disabled', ({ method }) => admin.registry(Registry.disableIdentity, { id: method.identityId })],
  ['its identity is deleted', ({ method }) => admin.registry(Registry.deleteIdentity, { id: method.identityId, etag: '' })],
]

describe('a token of Token Auth is refused everywhere once', () => {
  it.each(ENDS)('%s, its renewal too', async (_name, end) => {
    const method = await newTokenAuth()
    const { accessToken, tokenId } = await makeToken(admin, method)
    system.clock.advance(SECOND)
    const { accessToken: renewed } = await renew(accessToken)
    for (const token of [accessToken, renewed]) await check(token)
    await system.everywhere(end({ method, tokenId }))
    admin = await system.session(system.admin)
    for (const token of [accessToken, renewed]) {
      await expect(system.check(token, 'read', 'secrets', { consistency: BOUNDED })).rejects.toMatchObject(rejected)
      await expect(renew(token)).rejects.toMatchObject(rejected)
      expect(await introspect(token)).toMatchObject({ active: false })
    }
  })
})

describe('a token of Token Auth', () => {
  it('stays good where another method of its identity is voided and removed', async () => {
    const { identityId } = await makeWorkload(admin, { name: next() })
    await admin.exchange(Exchange.attachAuthMethod, { identityId, ...standardTokenAuth })
    const { accessToken } = await makeToken(admin, { identityId })
    await revokeAll({ $case: 'authMethod', value: { identityId, method: 'universal-auth' } })
    await admin.exchange(Exchange.removeAuthMethod, { identityId, method: 'universal-auth' })
    expect(await check(accessToken)).toMatchObject({ identityId })
  })

  it('is good where it was made after all of the method were revoked', async () => {
    const method = await newTokenAuth()
    await revokeAll({ $case: 'authMethod', value: { identityId: method.identityId, method: 'token-auth' } })
    expect(await check((await makeToken(admin, method)).accessToken)).toMatchObject({ identityId: method.identityId })
  })
})
