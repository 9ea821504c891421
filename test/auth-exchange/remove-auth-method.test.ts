import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { bootstrap } from '../../deploy/local/bootstrap.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { revisionOf } from '../support/revisions.js'
import { BOUNDED, type Session, startSystem, type System } from '../support/system.js'
import { plainSecret } from '../support/untouched.js'
import { makeTokenAuth } from '../support/token-auth.js'
import { standardTokenAuth, untouched } from '../support/untouched.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })
const remove = (identityId: string, method = 'universal-auth', by = admin) => by.exchange(Exchange.removeAuthMethod, { identityId, method })
const newSecret = (identityId: string) => admin.exchange(Exchange.createClientSecret, { identityId, ...plainSecret })
const methodNotFound = { kind: 'NOT_FOUND', reason: 'AUTH_METHOD_NOT_FOUND' }
const tokenRejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const credentialsRejected = { kind: 'UNAUTHENTICATED', reason: 'CREDENTIALS_REJECTED' }

/** Neither logs in, nor is a token of theirs honoured. */
async function expectEnded(workload: Pick<Workload, 'clientId' | 'clientSecret'>, accessToken: string): Promise<void> {
  await expect(system.login(workload)).rejects.toMatchObject(credentialsRejected)
  await expect(system.check(accessToken, 'read', 'secrets', { consistency: BOUNDED })).rejects.toMatchObject(tokenRejected)
  await expect(system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })).rejects.toMatchObject(tokenRejected)
}

describe('RemoveAuthMethod', () => {
  describe('answers', () => {
    // Seen to fail with another entity named in changedInExchange.
    it('and Universal Auth is gone with its client secrets, and its tokens are refused everywhere', async () => {
      const workload = await newWorkload()
      const { identityId } = workload
      const { accessToken } = await system.login(workload)
      await system.check(accessToken, 'read', 'secrets')
      expect(await system.everywhere(remove(identityId))).toEqual({ revision: revisionOf('exchange') })
      await expectEnded(workload, accessToken)
      await expect(admin.exchange(Exchange.getUniversalAuth, { identityId })).rejects.toMatchObject(methodNotFound)
      await expect(newSecret(identityId)).rejects.toMatchObject(methodNotFound)
      expect((await admin.exchange(Exchange.listAuthMethods, { identityId })).authMethods).toEqual([])
    })

    // Whoever kept the old client id learns nothing from it. Seen to fail with secrets found by the identity of a client id alone.
    it('and Universal Auth that is attached again has nothing of before, its client id neither', async () => {
      const workload = await newWorkload()
      const { identityId } = workload
      const { accessToken } = await system.login(workload)
      await system.everywhere(remove(identityId))
      const { clientId } = await admin.exchange(Exchange.attachUniversalAuth, { identityId, ...untouched })
      expect(clientId).not.toBe(workload.clientId)
      await expectEnded(workload, accessToken)
      await expectEnded({ ...workload, clientId }, accessToken)
      const { secret: clientSecret } = await newSecret(identityId)
      await expect(system.login({ clientId: workload.clientId, clientSecret })).rejects.toMatchObject(credentialsRejected)
      expect(await system.login({ clientId, clientSecret })).toMatchObject({ tokenId: expect.any(String) })
    })

    // What an operator took away stays away, and the installation starts again all the same. Seen to fail without wasRemoved.
    it('and bootstrapping again brings nothing back', async () => {
      const first = await system.newOrganization()
      const by = await system.session(first)
      await system.everywhere(remove(first.identityId, 'universal-auth', by))
      const before = await contentOf(system.databases.superuserUrl, 'exchange')
      await bootstrap(system.addresses, { credential: system.secrets.bootstrapCredential }, first)
      expect(await contentOf(system.databases.superuserUrl, 'exchange')).toEqual(before)
      await expectEnded(first, by.token)
    })

    it('and other methods of the identity, and the same of others, stay', async () => {
      const [workload, other] = [await newWorkload(), await newWorkload()]
      await admin.exchange(Exchange.attachAuthMethod, { identityId: workload.identityId, ...standardTokenAuth })
      await remove(workload.identityId, 'token-auth')
      for (const one of [workload, other]) expect(await system.login(one)).toMatchObject({ tokenId: expect.any(String) })
    })
  })

  describe('refuses', () => {
    it('a method that the identity has not, or had, and one of another organization', async () => {
      const foreign = await system.newOrganization()
      const { identityId } = await makeTokenAuth(admin, { name: next() })
      await remove(identityId, 'token-auth')
      for (const method of ['token-auth', 'universal-auth']) {
        for (const id of [identityId, UNKNOWN_ID, foreign.identityId]) await expect(remove(id, method)).rejects.toMatchObject(methodNotFound)
      }
      expect(await system.login(foreign)).toMatchObject({ tokenId: expect.any(String) })
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(remove('x', 'x')).rejects.toMatchObject(invalid('identity_id', 'method'))
    })
  })

  it('at the same time as a client secret is made, leaves no secret behind', async () => {
    const { identityId } = await newWorkload()
    await heldTransaction(system.databases.superuserUrl, async (held) => {
      await held.run('delete from exchange.universal_auth where identity_id = $1', [identityId])
      const made = newSecret(identityId)
      await Promise.all([expect(made).rejects.toMatchObject(methodNotFound), held.awaited().then(() => held.commit())])
    })
  })
})
