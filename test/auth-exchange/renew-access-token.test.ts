import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { tokenDigest } from '#libs/active-token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { redisText } from '../support/canaries.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { until } from '../support/running-processes.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { untouched } from '../support/untouched.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const renew = (accessToken: string) => system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
const check = (token: string) => system.check(token, 'read', 'secrets')
const content = () => contentOf(system.databases.superuserUrl, 'exchange')
const run = (sql: string, values: readonly unknown[]) => withClient(system.databases.superuserUrl, (client) => client.query<Record<string, unknown>>(sql, [...values]))
const seconds = (time: Date | undefined): number => (time?.getTime() ?? Number.NaN) / 1000

/** A workload whose tokens live for a minute, and for 100 seconds over all renewals. */
async function newWorkload(options: { useLimit?: number; ttlSeconds?: number } = {}): Promise<Workload> {
  const workload = await makeWorkload(admin, { name: next(), ...options })
  await admin.exchange(Exchange.updateUniversalAuth, { identityId: workload.identityId, ...untouched, accessTokenTtlSeconds: 60, accessTokenMaxTtlSeconds: 100, etag: '' })
  return workload
}
const newToken = async () => system.login(await newWorkload())

describe('RenewAccessToken', () => {
  describe('answers', () => {
    it('with a token of the same lineage that lives for the TTL from now, while the one before lives to its own end', async () => {
      const workload = await newWorkload()
      const { accessToken: first, tokenId } = await system.login(workload)
      system.clock.advance(30 * SECOND)
      const renewed = await renew(first)
      const { accessToken: second, ...told } = renewed
      const { iat = 0, exp = 0, ...claims } = decodeJwt(first)
      expect(decodeJwt(second)).toEqual({ ...claims, iat: iat + 30, exp: exp + 30 })
      expect(decodeProtectedHeader(second)).toEqual(decodeProtectedHeader(first))
      expect(told).toEqual({ tokenId, expiresInSeconds: 60, expireTime: new Date((exp + 30) * 1000), maxExpireTime: new Date((iat + 100) * 1000) })
      expect(await check(first)).toMatchObject({ tokenId, tokenExpireTime: new Date(exp * 1000) })
      expect(await check(second)).toMatchObject({ tokenId, tokenExpireTime: told.expireTime })
      system.clock.advance(30 * SECOND)
      await expect(check(first)).rejects.toMatchObject(rejected)
      await expect(renew(first)).rejects.toMatchObject(rejected)
      expect(await check(second)).toMatchObject({ tokenId })
    })

    it('with a shorter life near the end of the lineage, and to no end beyond it', async () => {
      const { accessToken, expireTime } = await newToken()
      const end = seconds(expireTime) + 40
      system.clock.advance(50 * SECOND)
      const renewed = await renew(accessToken)
      expect([renewed.expiresInSeconds, seconds(renewed.expireTime), seconds(renewed.maxExpireTime)]).toEqual([50, end, end])
    })

    it('when the record of the lineage is there to be read, with the latest end of all', async () => {
      const { accessToken, tokenId, expireTime } = await newToken()
      system.clock.advance(20 * SECOND)
      const now = system.clock.now()
      await renew(accessToken)
      const { rows } = await run('select expire_time, renew_time, ttl_seconds, issue_time from exchange.access_token where id = $1', [tokenId])
      expect(rows).toEqual([{ expire_time: new Date((seconds(expireTime) + 20) * 1000), renew_time: now, ttl_seconds: 60, issue_time: new Date((seconds(expireTime) - 60) * 1000) }])
    })

    it('whoever asks again with the same token, since the answer may have been lost', async () => {
      const { accessToken, tokenId } = await newToken()
      system.clock.advance(SECOND)
      for (const { accessToken: text } of [await renew(accessToken), await renew(accessToken)]) expect(await check(text)).toMatchObject({ tokenId })
    })

    it('by the TTLs of the login, whatever the method has been given since', async () => {
      const workload = await newWorkload()
      const { accessToken } = await system.login(workload)
      await admin.exchange(Exchange.updateUniversalAuth, { identityId: workload.identityId, ...untouched, accessTokenTtlSeconds: 7, accessTokenMaxTtlSeconds: 7, etag: '' })
      system.clock.advance(SECOND)
      expect(await renew(accessToken)).toMatchObject({ expiresInSeconds: 60 })
    })

    it('the holder of a token whose lineage an earlier version began', async () => {
      const { accessToken, tokenId } = await newToken()
      await run('update exchange.access_token set ttl_seconds = null where id = $1', [tokenId])
      system.clock.advance(10 * SECOND)
      const { accessToken: second, expiresInSeconds } = await renew(accessToken)
      system.clock.advance(10 * SECOND)
      expect([expiresInSeconds, (await renew(second)).expiresInSeconds]).toEqual([60, 60])
    })

    // Both limit logins: a secret for one login, or for the first minutes of a workload, is handed out with less worry.
    it('though the secret was spent by the login, or has expired since, and spends no use of it', async () => {
      const workload = await newWorkload({ useLimit: 1, ttlSeconds: 10 })
      const { accessToken } = await system.login(workload)
      system.clock.advance(20 * SECOND)
      expect(await check((await renew(accessToken)).accessToken)).toMatchObject({ identityId: workload.identityId })
      const { clientSecrets } = await admin.exchange(Exchange.listClientSecrets, { identityId: workload.identityId, pageSize: 0, pageToken: '' })
      expect(clientSecrets).toMatchObject([{ uses: 1 }])
    })

    it('and hands the newest text to those who check', async () => {
      const { accessToken } = await newToken()
      system.clock.advance(SECOND)
      const renewed = await renew(accessToken)
      await until(async () => (await redisText(inject('redisUrl'))).includes(tokenDigest(renewed.accessToken)))
    })

    it('and nothing of it is in the feed', async () => {
      const { accessToken } = await newToken()
      const changes = async () => (await run('select seq, (select count(*) from exchange.feed_change) from exchange.feed_head', [])).rows
      const before = await changes()
      system.clock.advance(SECOND)
      await renew(accessToken)
      expect(await changes()).toEqual(before)
    })
  })

  describe('refuses', () => {
    // Told that its token is no good, a client would throw away what is good, and ask again and again with what is not.
    it('a token that lives to the end of its lineage already, which stays good', async () => {
      const { accessToken } = await newToken()
      system.clock.advance(40 * SECOND)
      const { accessToken: last, expireTime } = await renew(accessToken)
      const before = await content()
      await expect(renew(last)).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'TOKEN_NOT_RENEWABLE', metadata: { expireTime: expireTime?.toISOString() } })
      expect(await content()).toEqual(before)
      system.clock.advance(59 * SECOND)
      expect(await check(last)).toMatchObject({ tokenExpireTime: expireTime })
      system.clock.advance(SECOND)
      await expect(renew(last)).rejects.toMatchObject(rejected)
    })

    it.each<[string, (token: { tokenId: string; accessToken: string }, workload: Workload) => Promise<unknown>]>([
      ['was revoked', ({ accessToken: value }) => system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value } })],
      ['has expired', async () => system.clock.advance(HOUR)],
      ['was obtained with a secret that was revoked', (_token, { identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })],
      ['was obtained by a method that was voided', (_token, { identityId }) => run('update exchange.universal_auth set epoch = gen_random_uuid() where identity_id = $1', [identityId])],
      ['is of an identity that was disabled', (_token, { identityId: id }) => system.everywhere(admin.registry(Registry.disableIdentity, { id }))],
      ['is of an identity that was deleted', (_token, { identityId: id }) => system.everywhere(admin.registry(Registry.deleteIdentity, { id, etag: '' }))],
    ])('a token that %s, and writes nothing', async (_name, end) => {
      admin = await system.session(system.admin)
      const workload = await newWorkload()
      const token = await system.login(workload)
      await end(token, workload)
      const before = await content()
      await expect(renew(token.accessToken)).rejects.toMatchObject(rejected)
      expect(await content()).toEqual(before)
    })

    it('a request without a token, or with what can be none', async () => {
      for (const text of ['', 'x'.repeat(4097)]) await expect(renew(text)).rejects.toMatchObject(invalid('access_token'))
      await expect(renew('x')).rejects.toMatchObject(rejected)
    })
  })
})
