import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { AuthMethod, UpdateAuthMethodRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { etagStale, identityNotFound, invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { standardTokenAuth, untouchedTokens } from '../support/untouched.js'

let system: System
let admin: Session
/** Of another organization, with Universal Auth and Token Auth. */
let foreignId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  const other = await system.newOrganization()
  foreignId = other.identityId
  await (await system.session(other)).exchange(Exchange.attachAuthMethod, { identityId: foreignId, ...standardTokenAuth })
})
afterAll(() => system.close())

const next = freshNames('identity')
const newIdentity = async () => (await admin.registry(Registry.createIdentity, { name: next(), role: '' })).id

type Given = Partial<Pick<UpdateAuthMethodRequest, keyof typeof untouchedTokens>>
const attach = (identityId: string, given: Given = {}): Promise<AuthMethod> =>
  asRead('exchange', admin.exchange(Exchange.attachAuthMethod, { identityId, ...standardTokenAuth, ...given }))
const attached = async (given: Given = {}) => attach(await newIdentity(), given)
const get = (identityId: string, method = 'token-auth') => admin.exchange(Exchange.getAuthMethod, { identityId, method })
const list = async (identityId: string) => (await admin.exchange(Exchange.listAuthMethods, { identityId })).authMethods
const update = (identityId: string, given: Partial<UpdateAuthMethodRequest>) =>
  asRead('exchange', admin.exchange(Exchange.updateAuthMethod, { identityId, method: 'token-auth', etag: '', ...untouchedTokens, configuration: undefined, ...given }))

const methodNotFound = { kind: 'NOT_FOUND', reason: 'AUTH_METHOD_NOT_FOUND' }
const everywhere = { cidrs: ['0.0.0.0/0', '::/0'] }
const configuration = { $case: 'tokenAuth', value: {} }
const TTL = 'access_token_ttl_seconds'
const MAX_TTL = 'access_token_max_ttl_seconds'

describe('AttachAuthMethod', () => {
  describe('answers', () => {
    it('with an id of its own and the settings that new methods have', async () => {
      const identityId = await newIdentity()
      const method = await attach(identityId)
      const now = system.clock.now()
      const settings = { accessTokenTtlSeconds: 3600, accessTokenMaxTtlSeconds: 86_400, accessTokenUseLimit: 0, accessTokenPeriodSeconds: 0, accessTokenTrustedIps: everywhere }
      const chosen = { id: expect.any(String), etag: expect.any(String), createTime: now, updateTime: now, revision: '' }
      expect(method).toEqual({ identityId, method: 'token-auth', ...settings, configuration, ...chosen })
      expect(await get(identityId)).toEqual(method)
    })

    it('with what was asked for', async () => {
      const given = { accessTokenTtlSeconds: 60, accessTokenMaxTtlSeconds: 120, accessTokenUseLimit: 5, accessTokenPeriodSeconds: 30, accessTokenTrustedIps: { cidrs: ['10.0.0.0/8'] } }
      expect(await attached(given)).toMatchObject(given)
    })

    it('beside Universal Auth, and for a disabled identity', async () => {
      const { identityId } = await makeWorkload(admin, { name: next() })
      await admin.registry(Registry.disableIdentity, { id: identityId })
      expect(await attach(identityId)).toMatchObject({ identityId })
    })
  })

  describe('refuses', () => {
    it('an identity that there is not in the organization', async () => {
      for (const id of [UNKNOWN_ID, foreignId]) await expect(attach(id)).rejects.toMatchObject(identityNotFound)
    })

    it('an identity that has it, also when two ask at once', async () => {
      const id = await newIdentity()
      const outcomes = await Promise.allSettled([attach(id), attach(id)])
      const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      expect(refusals).toMatchObject([{ kind: 'ALREADY_EXISTS', reason: 'AUTH_METHOD_EXISTS', metadata: { identityId: id, method: 'token-auth' } }])
    })

    it('a request with everything wrong, naming all of it', async () => {
      const request = { identityId: 'x', ...untouchedTokens, accessTokenTtlSeconds: 5, accessTokenMaxTtlSeconds: -1, accessTokenUseLimit: -1, configuration: undefined }
      await expect(admin.exchange(Exchange.attachAuthMethod, request)).rejects.toMatchObject(invalid('identity_id', MAX_TTL, 'access_token_use_limit', 'configuration'))
    })
  })
})

describe('GetAuthMethod', () => {
  it('answers for Universal Auth with what it has in common with the others', async () => {
    const { identityId } = await makeWorkload(admin, { name: next(), tokenTtlSeconds: 60 })
    const universalAuth = await admin.exchange(Exchange.getUniversalAuth, { identityId })
    const answer = await get(identityId, 'universal-auth')
    expect(answer).toMatchObject({ identityId, method: 'universal-auth', id: '', configuration: undefined, accessTokenTtlSeconds: 60, etag: universalAuth.etag })
    const { method, id, configuration: none, ...common } = answer
    expect({ method, id, none, ...universalAuth, ...common }).toEqual({ method, id, none, ...universalAuth })
  })

  it('refuses a method that the identity has not, and one of another organization', async () => {
    const { identityId } = await attached()
    await expect(get(identityId, 'universal-auth')).rejects.toMatchObject(methodNotFound)
    for (const id of [await newIdentity(), UNKNOWN_ID, foreignId]) await expect(get(id)).rejects.toMatchObject(methodNotFound)
  })

  it('refuses what is no id and no method', async () => {
    await expect(get('x', 'token')).rejects.toMatchObject(invalid('identity_id', 'method'))
  })
})

describe('ListAuthMethods', () => {
  it('answers with all of an identity by their names, Universal Auth included', async () => {
    const { identityId } = await makeWorkload(admin, { name: next() })
    const universalAuth = await get(identityId, 'universal-auth')
    expect(await list(identityId)).toEqual([universalAuth])
    const tokenAuth = await attach(identityId)
    expect(await list(identityId)).toEqual([tokenAuth, universalAuth])
  })

  it('answers with none where the organization has no such identity, or it has none', async () => {
    for (const id of [await newIdentity(), UNKNOWN_ID, foreignId]) expect(await list(id)).toEqual([])
  })

  it('refuses what is no id', async () => {
    await expect(list('x')).rejects.toMatchObject(invalid('identity_id'))
  })
})

describe('UpdateAuthMethod', () => {
  describe('answers', () => {
    it('with what was given changed and everything else as it was', async () => {
      const before = await attached()
      system.clock.advance(SECOND)
      const updated = await update(before.identityId, { accessTokenTtlSeconds: 60, etag: before.etag })
      expect(updated).toEqual({ ...before, accessTokenTtlSeconds: 60, updateTime: system.clock.now(), etag: updated.etag })
      expect(updated.etag).not.toBe(before.etag)
      expect(await get(before.identityId)).toEqual(updated)
    })

    it('with nothing changed where the configuration alone is given, which has nothing in it', async () => {
      const before = await attached({ accessTokenUseLimit: 7 })
      const updated = await update(before.identityId, { configuration: { $case: 'tokenAuth', value: {} } })
      expect(updated).toEqual({ ...before, updateTime: updated.updateTime, etag: updated.etag })
    })
  })

  describe('refuses', () => {
    it('a method that the identity has not, and one of another organization', async () => {
      for (const id of [await newIdentity(), UNKNOWN_ID, foreignId]) await expect(update(id, {})).rejects.toMatchObject(methodNotFound)
    })

    it('an etag that was overtaken', async () => {
      const { identityId, etag } = await attached()
      await update(identityId, { accessTokenTtlSeconds: 60 })
      await expect(update(identityId, { accessTokenTtlSeconds: 30, etag })).rejects.toMatchObject(etagStale)
    })

    it('a TTL above the maximum that holds, and changes nothing', async () => {
      const before = await attached({ accessTokenMaxTtlSeconds: 3600 })
      await expect(update(before.identityId, { accessTokenTtlSeconds: 3601 })).rejects.toMatchObject(invalid(TTL))
      expect(await get(before.identityId)).toEqual(before)
    })

    it('Universal Auth, which has more', async () => {
      const { identityId } = await makeWorkload(admin, { name: next() })
      await expect(update(identityId, { method: 'universal-auth' })).rejects.toMatchObject(invalid('method'))
    })

    it('a request with everything wrong, naming all of it', async () => {
      const wrong = { method: 'x', etag: 'y', accessTokenTtlSeconds: -1, accessTokenMaxTtlSeconds: -1 }
      await expect(update('x', wrong)).rejects.toMatchObject(invalid('identity_id', 'method', TTL, MAX_TTL, 'etag'))
    })
  })
})
