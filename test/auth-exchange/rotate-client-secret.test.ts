import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { HOUR, MINUTE, SECOND } from '../support/manual-clock.js'
import { revisionOf } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const newWorkload = (options: Partial<Parameters<typeof makeWorkload>[1]> = {}) => makeWorkload(admin, { name: next(), ...options })
type Wanted = { overlapSeconds?: number | undefined; wrapTtlSeconds?: number }
const rotate = ({ identityId, secretId: id }: Pick<Workload, 'identityId' | 'secretId'>, wanted: Wanted = {}) =>
  admin.exchange(Exchange.rotateClientSecret, { identityId, id, overlapSeconds: undefined, wrapTtlSeconds: 0, ...wanted })
const get = ({ identityId, secretId: id }: Workload) => admin.exchange(Exchange.getClientSecret, { identityId, id })
/** Time passes, and the admin logs in again. */
async function pass(millis: number): Promise<void> {
  system.clock.advance(millis)
  admin = await system.session(system.admin)
}
const after = (millis: number) => new Date(system.clock.now().getTime() + millis)
const rejected = { kind: 'UNAUTHENTICATED', reason: 'CREDENTIALS_REJECTED' }

describe('RotateClientSecret', () => {
  describe('answers', () => {
    it('with a successor that has the settings of the old one, all of them anew, and says when the old one was last used', async () => {
      const workload = await newWorkload({ useLimit: 3, ttlSeconds: 7200, from: ['127.0.0.0/8'] })
      const before = await get(workload)
      await system.login(workload)
      const usedTime = system.clock.now()
      await pass(HOUR)
      const { clientSecret, predecessor, clientId, ...shown } = await rotate(workload, { overlapSeconds: 60 })
      const id = clientSecret?.id ?? ''
      expect(shown).toEqual({ secret: expect.stringMatching(/^csk_[0-9a-f]{32}_[0-9A-Za-z]{49}$/), wrappingToken: '', wrappingExpireTime: undefined })
      expect(clientSecret).toEqual({ ...before, id, createTime: system.clock.now(), expireTime: after(2 * HOUR), revision: revisionOf('exchange') })
      const used = { uses: 1, lastUsedTime: usedTime, lastUsedAddress: '127.0.0.1' }
      expect(predecessor).toEqual({ ...before, ...used, expireTime: after(MINUTE), successorId: id, revision: revisionOf('exchange') })
      expect(await get(workload)).toEqual({ ...predecessor, revision: '' })
      await system.login({ clientId, clientSecret: shown.secret })
    })

    it('with both good for the overlap, an hour where nothing is said, and then the successor alone', async () => {
      const workload = await newWorkload()
      const { secret: clientSecret, predecessor } = await rotate(workload)
      expect(predecessor?.expireTime).toEqual(after(HOUR))
      system.clock.advance(HOUR - SECOND)
      for (const one of [workload, { ...workload, clientSecret }]) await system.login(one)
      await pass(SECOND)
      await expect(system.login(workload)).rejects.toMatchObject(rejected)
      await system.login({ ...workload, clientSecret })
    })

    it('with the old one over at once where there is to be no overlap, and its tokens live on', async () => {
      const workload = await newWorkload()
      const { accessToken } = await system.login(workload)
      const { secret: clientSecret } = await rotate(workload, { overlapSeconds: 0 })
      await expect(system.login(workload)).rejects.toMatchObject(rejected)
      await system.login({ ...workload, clientSecret })
      expect(await system.check(accessToken, 'read', 'secrets')).toMatchObject({ identityId: workload.identityId })
    })

    it('and never lets the old one live longer than it was to', async () => {
      const workload = await newWorkload({ ttlSeconds: 60 })
      const { expireTime } = await get(workload)
      expect((await rotate(workload, { overlapSeconds: 2_592_000 })).predecessor?.expireTime).toEqual(expireTime)
    })

    it('again for the successor, and so on', async () => {
      const workload = await newWorkload()
      const first = await rotate(workload)
      const second = await rotate({ ...workload, secretId: first.clientSecret?.id ?? '' }, { overlapSeconds: 0 })
      expect(second.predecessor).toMatchObject({ id: first.clientSecret?.id, successorId: second.clientSecret?.id })
      await expect(system.login({ ...workload, clientSecret: first.secret })).rejects.toMatchObject(rejected)
      for (const clientSecret of [workload.clientSecret, second.secret]) await system.login({ ...workload, clientSecret })
    })

    it('with a wrapping token in place of the secret, where that is asked for', async () => {
      const workload = await newWorkload()
      const { clientSecret, secret, wrappingToken, wrappingExpireTime } = await rotate(workload, { wrapTtlSeconds: 60 })
      expect([secret, wrappingExpireTime]).toEqual(['', after(MINUTE)])
      const unwrapped = await system.anonymous.exchange(Exchange.unwrapClientSecret, { wrappingToken })
      expect(unwrapped).toMatchObject({ clientId: workload.clientId, clientSecretId: clientSecret?.id })
      await system.login({ ...workload, clientSecret: unwrapped.secret })
    })
  })

  describe('refuses', () => {
    it('a secret that has a successor, and names it', async () => {
      const workload = await newWorkload()
      const { clientSecret } = await rotate(workload, { overlapSeconds: 60 })
      const metadata = { id: workload.secretId, successorId: clientSecret?.id }
      const refusal = { kind: 'FAILED_PRECONDITION', reason: 'CLIENT_SECRET_ROTATED', metadata }
      await expect(rotate(workload)).rejects.toMatchObject(refusal)
      system.clock.advance(MINUTE)
      await expect(rotate(workload)).rejects.toMatchObject(refusal)
    })

    it.each<[string, (workload: Workload) => unknown]>([
      ['revoked', ({ identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })],
      ['expired', () => system.clock.advance(MINUTE)],
      ['spent', (workload) => system.login(workload)],
    ])('a secret that is %s, and makes none', async (state, end) => {
      const workload = await newWorkload({ ttlSeconds: 60, useLimit: 1 })
      await end(workload)
      const metadata = { id: workload.secretId, state }
      await expect(rotate(workload)).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'CLIENT_SECRET_NOT_LIVE', metadata })
      const { clientSecrets } = await admin.exchange(Exchange.listClientSecrets, { ...workload, pageSize: 0, pageToken: '' })
      expect(clientSecrets).toMatchObject([{ id: workload.secretId, successorId: '' }])
    })

    it('a secret that there is not, or that is of another identity or organization', async () => {
      const [workload, other] = [await newWorkload(), await newWorkload()]
      const foreign = await makeWorkload(await system.session(await system.newOrganization()), { name: next() })
      const notFound = { kind: 'NOT_FOUND', reason: 'CLIENT_SECRET_NOT_FOUND' }
      for (const secretId of [UNKNOWN_ID, other.secretId, foreign.secretId]) await expect(rotate({ ...workload, secretId })).rejects.toMatchObject(notFound)
      await expect(rotate(foreign)).rejects.toMatchObject(notFound)
    })

    it('the secret of an identity that is disabled, until it is enabled again, or that was deleted', async () => {
      const workload = await newWorkload()
      const { identityId: id } = workload
      await system.everywhere(admin.registry(Registry.disableIdentity, { id }))
      await expect(rotate(workload)).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'IDENTITY_NOT_ACTIVE' })
      await system.everywhere(admin.registry(Registry.enableIdentity, { id }))
      const { clientSecret } = await rotate(workload)
      await system.everywhere(admin.registry(Registry.deleteIdentity, { id, etag: '' }))
      await expect(rotate({ ...workload, secretId: clientSecret?.id ?? '' })).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'IDENTITY_NOT_FOUND' })
    })

    it('a request with everything wrong, naming all of it', async () => {
      for (const [overlapSeconds, wrapTtlSeconds] of [[-1, -1], [2_592_001, 86_401]]) {
        const wrong = rotate({ identityId: 'x', secretId: 'y' }, { overlapSeconds, wrapTtlSeconds: wrapTtlSeconds ?? 0 })
        await expect(wrong).rejects.toMatchObject(invalid('identity_id', 'id', 'overlap_seconds', 'wrap_ttl_seconds'))
      }
    })
  })
})
