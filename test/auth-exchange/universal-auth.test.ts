import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { etagStale, identityNotFound, invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { untouched } from '../support/untouched.js'

let system: System
let admin: Session
/** The admin of another organization, who has Universal Auth. */
let foreignId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  foreignId = (await system.newOrganization()).identityId
})
afterAll(() => system.close())

const next = freshNames('identity')
const newIdentity = async () => (await admin.registry(Registry.createIdentity, { name: next(), role: '' })).id

type Lifetimes = { ttl?: number; maxTtl?: number }
const lifetimes = ({ ttl, maxTtl }: Lifetimes) => ({ ...untouched, accessTokenTtlSeconds: ttl, accessTokenMaxTtlSeconds: maxTtl })
const holding = ({ ttl, maxTtl }: Lifetimes) => ({ accessTokenTtlSeconds: ttl, accessTokenMaxTtlSeconds: maxTtl })
const attach = (identityId: string, given: Lifetimes = {}) =>
  asRead('exchange', admin.exchange(Exchange.attachUniversalAuth, { identityId, ...lifetimes(given) }))
const attached = async (given: Lifetimes = {}) => attach(await newIdentity(), given)
const get = (identityId: string) => admin.exchange(Exchange.getUniversalAuth, { identityId })
const update = (identityId: string, given: Lifetimes, etag = '') =>
  asRead('exchange', admin.exchange(Exchange.updateUniversalAuth, { identityId, etag, ...lifetimes(given) }))

const methodNotFound = { kind: 'NOT_FOUND', reason: 'AUTH_METHOD_NOT_FOUND' }
const TTL = 'access_token_ttl_seconds'
const MAX_TTL = 'access_token_max_ttl_seconds'
const CEILING = 7_776_000
const HOURS_24 = 86_400

/** What there may be, given over what holds: the rules are the same for a new method and for a change. */
const refused: [string, Lifetimes, string[]][] = [
  ['a TTL below nothing', { ttl: -1 }, [TTL]],
  ['a TTL above the ceiling', { ttl: CEILING + 1, maxTtl: 0 }, [TTL]],
  ['a maximum TTL below nothing', { ttl: 0, maxTtl: -1 }, [MAX_TTL]],
  ['a TTL above the maximum that is given with it', { ttl: 61, maxTtl: 60 }, [TTL]],
  ['a TTL above the maximum that holds', { ttl: HOURS_24 + 1 }, [TTL]],
  ['the ceiling as TTL where the maximum that holds is less', { ttl: 0 }, [TTL]],
  ['a maximum below the TTL that holds', { maxTtl: 3599 }, [MAX_TTL]],
]

describe('AttachUniversalAuth', () => {
  describe('answers', () => {
    it('with a client id of its own and the lifetimes that new methods have', async () => {
      const identityId = await newIdentity()
      const method = await attach(identityId)
      const now = system.clock.now()
      const chosen = { clientId: method.clientId, etag: method.etag, createTime: now, updateTime: now }
      const everywhere = { cidrs: ['0.0.0.0/0', '::/0'] }
      const tokens = { accessTokenTtlSeconds: 3600, accessTokenMaxTtlSeconds: HOURS_24, accessTokenUseLimit: 0, accessTokenPeriodSeconds: 0, accessTokenTrustedIps: everywhere }
      const lockout = { enabled: true, threshold: 3, durationSeconds: 300, counterResetSeconds: 30 }
      expect(method).toEqual({ identityId, ...tokens, clientSecretTrustedIps: everywhere, lockout, ...chosen, revision: '' })
      expect(await get(identityId)).toEqual(method)
    })

    it.each([
      [{ ttl: 1 }, { ttl: 1, maxTtl: HOURS_24 }],
      [{ ttl: HOURS_24 }, { ttl: HOURS_24, maxTtl: HOURS_24 }],
      [{ maxTtl: 3600 }, { ttl: 3600, maxTtl: 3600 }],
      [{ maxTtl: 0 }, { ttl: 3600, maxTtl: CEILING }],
      [{ ttl: 0, maxTtl: 0 }, { ttl: CEILING, maxTtl: CEILING }],
      [{ ttl: CEILING, maxTtl: CEILING }, { ttl: CEILING, maxTtl: CEILING }],
    ] as const)('to %j with %j', async (given, holds) => {
      expect(await attached(given)).toMatchObject(holding(holds))
    })

    it('for a disabled identity, which still can not log in', async () => {
      const id = await newIdentity()
      await admin.registry(Registry.disableIdentity, { id })
      expect(await attach(id)).toMatchObject({ identityId: id })
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
      expect(refusals).toMatchObject([{ kind: 'ALREADY_EXISTS', reason: 'AUTH_METHOD_EXISTS' }])
      await expect(attach(id)).rejects.toMatchObject({ kind: 'ALREADY_EXISTS', reason: 'AUTH_METHOD_EXISTS' })
    })

    it.each(refused)('%s', async (_name, given, fields) => {
      await expect(attach(UNKNOWN_ID, given)).rejects.toMatchObject(invalid(...fields))
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(attach('x', { ttl: 5, maxTtl: CEILING + 1 })).rejects.toMatchObject(invalid('identity_id', MAX_TTL))
    })
  })
})

describe('GetUniversalAuth', () => {
  describe('refuses', () => {
    it('an identity that has none, or is none of the organization', async () => {
      for (const id of [await newIdentity(), UNKNOWN_ID, foreignId]) await expect(get(id)).rejects.toMatchObject(methodNotFound)
    })

    it('what is no id', async () => {
      await expect(get('x')).rejects.toMatchObject(invalid('identity_id'))
    })
  })
})

describe('UpdateUniversalAuth', () => {
  describe('answers', () => {
    it('with what was given changed and everything else as it was', async () => {
      const before = await attached()
      system.clock.advance(SECOND)
      const updated = await update(before.identityId, { ttl: 60 }, before.etag)
      expect(updated).toEqual({ ...before, accessTokenTtlSeconds: 60, updateTime: system.clock.now(), etag: updated.etag })
      expect(updated.etag).not.toBe(before.etag)
      expect(await get(before.identityId)).toEqual(updated)
    })

    it('with the ceiling where 0 is given', async () => {
      const { identityId } = await attached({ ttl: 60, maxTtl: 60 })
      expect(await update(identityId, { maxTtl: 0 })).toMatchObject(holding({ ttl: 60, maxTtl: CEILING }))
      expect(await update(identityId, { ttl: 0 })).toMatchObject(holding({ ttl: CEILING, maxTtl: CEILING }))
    })

    it('and tokens that were issued keep what they were issued with', async () => {
      const workload = await makeWorkload(admin, { name: 'issued', tokenTtlSeconds: 60 })
      const long = await system.login(workload)
      await update(workload.identityId, { ttl: 30 })
      const short = await system.login(workload)
      expect([long, short].map(({ accessToken }) => lifeOf(accessToken))).toEqual([60, 30])

      system.clock.advance(30 * SECOND)
      await expect(system.check(short.accessToken, 'read', 'secrets')).rejects.toMatchObject({ reason: 'ACCESS_TOKEN_REJECTED' })
      await update(workload.identityId, { ttl: 3600 })
      // A token ends on a whole second, and the clock began anywhere in one.
      system.clock.advance(28 * SECOND)
      expect(await system.check(long.accessToken, 'read', 'secrets')).toMatchObject({ identityId: workload.identityId })
      system.clock.advance(2 * SECOND)
      await expect(system.check(long.accessToken, 'read', 'secrets')).rejects.toMatchObject({ reason: 'ACCESS_TOKEN_REJECTED' })
    })
  })

  describe('refuses', () => {
    it('an identity that has none, or is none of the organization', async () => {
      for (const id of [await newIdentity(), UNKNOWN_ID, foreignId]) await expect(update(id, { ttl: 60 })).rejects.toMatchObject(methodNotFound)
    })

    it('an etag that was overtaken', async () => {
      const { identityId, etag } = await attached()
      await update(identityId, { ttl: 60 })
      await expect(update(identityId, { ttl: 30 }, etag)).rejects.toMatchObject(etagStale)
    })

    it.each(refused)('%s, and changes nothing', async (_name, given, fields) => {
      const before = await attached()
      await expect(update(before.identityId, given)).rejects.toMatchObject(invalid(...fields))
      expect(await get(before.identityId)).toEqual(before)
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(update('x', { ttl: -1, maxTtl: -1 }, 'y')).rejects.toMatchObject(invalid('identity_id', TTL, MAX_TTL, 'etag'))
    })
  })
})

function lifeOf(token: string): number {
  const { iat = 0, exp = 0 } = decodeJwt(token)
  return exp - iat
}
