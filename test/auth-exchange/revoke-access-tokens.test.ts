import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RevokeAccessTokensRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { identityNotFound, invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { revisionOf } from '../support/revisions.js'
import { BOUNDED, type Session, startSystem, type System } from '../support/system.js'
import { plainSecret } from '../support/untouched.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

type Of = RevokeAccessTokensRequest['of']
type Whose = readonly [name: string, of: (workload: Workload) => Of]

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })
const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const revokeAll = (of: Of, by = admin) => by.exchange(Exchange.revokeAccessTokens, { of })
const renew = (accessToken: string) => system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
const check = (token: string) => system.check(token, 'read', 'secrets')
const ofIdentity = ({ identityId: value }: Workload): Of => ({ $case: 'identityId', value })
const ofMethod = ({ identityId }: Workload): Of => ({ $case: 'authMethod', value: { identityId, method: 'universal-auth' } })
const ofSecret = ({ identityId, secretId: id }: Workload): Of => ({ $case: 'clientSecret', value: { identityId, id } })
const ofOrganization = (): Of => ({ $case: 'organization', value: {} })

const NARROW: Whose[] = [['an identity', ofIdentity], ['an auth method', ofMethod], ['a client secret', ofSecret]]
const ALL: Whose[] = [...NARROW, ['the organization', ofOrganization]]

/** Admins of the organization lose their tokens with all others. */
const again = async () => {
  admin = await system.session(system.admin)
}

describe('RevokeAccessTokens', () => {
  describe('answers', () => {
    it.each(ALL)('and every token of %s is refused, renewed ones too, while later logins give good ones', async (_name, of) => {
      const workload = await newWorkload()
      const { accessToken } = await system.login(workload)
      system.clock.advance(SECOND)
      const { accessToken: renewed } = await renew(accessToken)
      const { accessToken: other } = await system.login(workload)
      for (const token of [accessToken, renewed, other]) await check(token)
      for (let times = 0; times < 2; times += 1) {
        expect(await revokeAll(of(workload))).toEqual({ revision: revisionOf('exchange') })
        for (const token of [accessToken, renewed, other]) {
          await expect(check(token)).rejects.toMatchObject(rejected)
          await expect(renew(token)).rejects.toMatchObject(rejected)
        }
        await again()
      }
      expect(await check((await system.login(workload)).accessToken)).toMatchObject({ identityId: workload.identityId })
    })

    it.each(NARROW)('and tokens of others stay good where it is %s', async (_name, of) => {
      const [workload, other] = [await newWorkload(), await newWorkload()]
      const { accessToken } = await system.login(other)
      await revokeAll(of(workload))
      for (const token of [accessToken, admin.token]) await check(token)
    })

    it('and tokens of another secret of the identity stay good where it is a client secret', async () => {
      const workload = await newWorkload()
      const second = await admin.exchange(Exchange.createClientSecret, { identityId: workload.identityId, ...plainSecret })
      const { accessToken } = await system.login({ clientId: workload.clientId, clientSecret: second.secret })
      await revokeAll(ofSecret(workload))
      expect(await check(accessToken)).toMatchObject({ identityId: workload.identityId })
    })

    it('and tokens of another organization stay good', async () => {
      const { accessToken } = await system.login(await system.newOrganization())
      await revokeAll(ofOrganization())
      await again()
      expect(await check(accessToken)).toMatchObject({ organizationId: expect.any(String) })
    })

    // Seen to fail with another entity named in changedInExchange, each.
    it.each(ALL)('with a revision after which what was cached of tokens of %s counts no more, without another question', async (_name, of) => {
      const workload = await newWorkload()
      const { accessToken } = await system.login(workload)
      await check(accessToken)
      await system.everywhere(revokeAll(of(workload)))
      await expect(system.check(accessToken, 'read', 'secrets', { consistency: BOUNDED })).rejects.toMatchObject(rejected)
      await again()
    })

    it('for an identity that is disabled, or has nothing to log in with', async () => {
      const { id } = await admin.registry(Registry.createIdentity, { name: next(), role: '' })
      await system.everywhere(admin.registry(Registry.disableIdentity, { id }))
      expect(await revokeAll({ $case: 'identityId', value: id })).toEqual({ revision: revisionOf('exchange') })
    })

    it.each([['identity', ofIdentity], ['auth-method', ofMethod], ['client-secret', ofSecret], ['organization', ofOrganization]] as const)('with one audit event about the %s', async (type, of) => {
      const workload = await newWorkload()
      const by = admin.tokenId
      await revokeAll(of(workload))
      const id = { identity: workload.identityId, 'auth-method': workload.identityId, 'client-secret': workload.secretId, organization: system.admin.organizationId }[type]
      const query = "select target_type, target_id from exchange.audit_event where action = 'RevokeAccessTokens' and actor_token_id = $1 order by id desc limit 1"
      const { rows } = await withClient(system.databases.superuserUrl, (client) => client.query(query, [by]))
      expect(rows).toEqual([{ target_type: type, target_id: id }])
      await again()
    })
  })

  describe('refuses', () => {
    it.each([
      ['identity', ofIdentity, identityNotFound],
      ['auth method', ofMethod, { kind: 'NOT_FOUND', reason: 'AUTH_METHOD_NOT_FOUND' }],
      ['client secret', ofSecret, { kind: 'NOT_FOUND', reason: 'CLIENT_SECRET_NOT_FOUND' }],
    ] as const)('an %s that there is not, or that is of another organization, and revokes nothing', async (_name, of, refusal) => {
      const foreign = await system.session(await system.newOrganization())
      const theirs = await makeWorkload(foreign, { name: next() })
      const { accessToken } = await system.login(theirs)
      const before = await contentOf(system.databases.superuserUrl, 'exchange')
      for (const workload of [theirs, { ...theirs, identityId: UNKNOWN_ID, secretId: UNKNOWN_ID }]) await expect(revokeAll(of(workload))).rejects.toMatchObject(refusal)
      expect(await contentOf(system.databases.superuserUrl, 'exchange')).toEqual(before)
      expect(await check(accessToken)).toMatchObject({ identityId: theirs.identityId })
    })

    it('a secret of another identity of the organization', async () => {
      const [one, other] = [await newWorkload(), await newWorkload()]
      await expect(revokeAll(ofSecret({ ...one, secretId: other.secretId }))).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'CLIENT_SECRET_NOT_FOUND' })
    })

    it('a request with nothing or something wrong in it', async () => {
      await expect(revokeAll(undefined)).rejects.toMatchObject(invalid('of'))
      await expect(revokeAll({ $case: 'identityId', value: 'x' })).rejects.toMatchObject(invalid('identity_id'))
      await expect(revokeAll({ $case: 'authMethod', value: { identityId: 'x', method: 'x' } })).rejects.toMatchObject(invalid('auth_method.identity_id', 'auth_method.method'))
      await expect(revokeAll({ $case: 'clientSecret', value: { identityId: 'x', id: 'x' } })).rejects.toMatchObject(invalid('client_secret.identity_id', 'client_secret.id'))
    })
  })
})
