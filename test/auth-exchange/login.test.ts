import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isId } from '#libs/ids.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { invalid } from '../identity-registry/expected.js'
import { makeWorkload, UNKNOWN_ID } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const login = (clientId: string, clientSecret: string) => system.login({ clientId, clientSecret })
const recordOf = (id: string): Promise<unknown> =>
  withClient(system.databases.superuserUrl, async (client) => (await client.query('select * from exchange.access_token where id = $1', [id])).rows[0])

describe('Login', () => {
  describe('answers', () => {
    it('with a token that claims exactly what RFC 9068 and the design name, and that its holder can use', async () => {
      const workload = await makeWorkload(admin, { name: 'billing', tokenTtlSeconds: 90 })
      const now = Math.floor(system.clock.now().getTime() / 1000)
      const { accessToken, tokenId, expiresInSeconds, expireTime } = await system.login(workload)
      expect(decodeJwt(accessToken)).toEqual({
        iss: 'countersign',
        aud: 'countersign',
        jti: tokenId,
        sub: workload.identityId,
        org: system.admin.organizationId,
        sid: workload.secretId,
        amr: ['universal-auth'],
        client_id: workload.clientId,
        iat: now,
        exp: now + 90,
      })
      expect(decodeProtectedHeader(accessToken)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) })
      expect(isId(tokenId)).toBe(true)
      expect([expiresInSeconds, expireTime]).toEqual([90, new Date((now + 90) * 1000)])
      expect(await system.check(accessToken, 'read', 'secrets')).toMatchObject({ tokenId, tokenExpireTime: expireTime })
    })

    it('each time with another token, all of which are good', async () => {
      const workload = await makeWorkload(admin, { name: 'twice' })
      const tokens = [await system.login(workload), await system.login(workload)]
      expect(new Set(tokens.map(({ tokenId }) => tokenId)).size).toBe(2)
      for (const { accessToken, tokenId } of tokens) expect(await system.check(accessToken, 'read', 'secrets')).toMatchObject({ tokenId })
    })

    it('when the use of the secret, the record of the token and the audit event are there to be read', async () => {
      const workload = await makeWorkload(admin, { name: 'durable', useLimit: 3 })
      const { tokenId } = await system.login(workload)
      const now = system.clock.now()
      const issued = Math.floor(now.getTime() / 1000)
      const at = (seconds: number) => new Date((issued + seconds) * 1000)
      const times = { issue_time: at(0), expire_time: at(3600), max_expire_time: at(86_400), revoke_time: null }
      expect(await recordOf(tokenId)).toMatchObject({ identity_id: workload.identityId, credential_id: workload.secretId, ...times })
      const { clientSecrets } = await admin.exchange(Exchange.listClientSecrets, { identityId: workload.identityId, pageSize: 0, pageToken: '' })
      expect(clientSecrets).toMatchObject([{ uses: 1, useLimit: 3, lastUsedTime: now }])
    })
  })

  // That all of these are answered alike, in text and in time, is uniform-refusals.test.ts.
  describe('refuses', () => {
    it('credentials that are not good together, and writes nothing', async () => {
      const [workload, other] = [await makeWorkload(admin, { name: 'one' }), await makeWorkload(admin, { name: 'other' })]
      const wrong = [
        () => login(UNKNOWN_ID, workload.clientSecret),
        () => login(workload.clientId, other.clientSecret),
        () => login(workload.clientId, 'csk_'),
        () => login(workload.clientId, workload.clientSecret.replace(/.$/, (last) => (last === '0' ? '1' : '0'))),
      ]
      const before = await contentOf(system.databases.superuserUrl, 'exchange')
      for (const attempt of wrong) await expect(attempt()).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'CREDENTIALS_REJECTED' })
      expect(await contentOf(system.databases.superuserUrl, 'exchange')).toEqual(before)
    })

    it('no proof at all', async () => {
      await expect(system.anonymous.exchange(Exchange.login, { proof: undefined })).rejects.toMatchObject(invalid('proof'))
    })

    it('a request with everything wrong, naming all of it', async () => {
      const fields = ['universal_auth.client_id', 'universal_auth.client_secret']
      await expect(login('x', '')).rejects.toMatchObject(invalid(...fields))
      await expect(login('x', 'y'.repeat(4097))).rejects.toMatchObject(invalid(...fields))
    })
  })
})
