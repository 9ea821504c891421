import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ListAccessTokensResponse, LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })
const list = (request: { identityId?: string; pageSize?: number; pageToken?: string }, by = admin) =>
  by.exchange(Exchange.listAccessTokens, { identityId: '', pageSize: 0, pageToken: '', ...request })
const idsOf = ({ accessTokens }: ListAccessTokensResponse): string[] => accessTokens.map(({ id }) => id)
const wholeSeconds = (time: Date): Date => new Date(Math.floor(time.getTime() / 1000) * 1000)

/** Logs in that often, one behind the other. */
async function logins(workload: Workload, count: number): Promise<LoginResponse[]> {
  const made: LoginResponse[] = []
  for (let number = 0; number < count; number += 1) made.push(await system.login(workload))
  return made
}

describe('ListAccessTokens', () => {
  describe('answers', () => {
    it('with what is on record of a token, and of its last renewal', async () => {
      const workload = await newWorkload()
      const began = system.clock.now()
      const { accessToken, tokenId: id, expireTime } = await system.login(workload)
      const { identityId, secretId: credentialId } = workload
      const token = { id, identityId, method: 'universal-auth', credentialId, createTime: wholeSeconds(began), maxExpireTime: new Date(wholeSeconds(began).getTime() + 24 * HOUR), name: '', revision: '', useLimit: 0, uses: 0, lastUsedTime: undefined, periodSeconds: 0 }
      expect((await list({ identityId })).accessTokens).toEqual([{ ...token, expireTime, renewTime: undefined }])
      system.clock.advance(60 * SECOND)
      const renewed = await system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
      expect((await list({ identityId })).accessTokens).toEqual([{ ...token, expireTime: renewed.expireTime, renewTime: system.clock.now() }])
    })

    it('with those of the organization, or of one identity, newest first and page by page, and none of another organization', async () => {
      const [one, other] = [await newWorkload(), await newWorkload()]
      const foreign = await system.login(await system.newOrganization())
      const [first, second] = (await logins(one, 2)).map(({ tokenId }) => tokenId)
      const [third] = (await logins(other, 1)).map(({ tokenId }) => tokenId)
      const page = await list({ identityId: one.identityId, pageSize: 1 })
      const rest = await list({ identityId: one.identityId, pageSize: 1, pageToken: page.nextPageToken })
      expect([idsOf(page), idsOf(rest), rest.nextPageToken]).toEqual([[second], [first], ''])
      const all = idsOf(await list({ pageSize: 200 }))
      expect(all.slice(0, 3)).toEqual([third, second, first])
      expect(all).not.toContain(foreign.tokenId)
    })

    // Each seen to fail without its condition in listLiveTokens.
    it.each<[string, (token: LoginResponse, workload: Workload) => Promise<unknown>]>([
      ['was revoked', ({ tokenId: value }) => admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value } })],
      ['was revoked with its secret', (_token, { identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })],
      ['was revoked with all of its method', (_token, { identityId }) => admin.exchange(Exchange.revokeAccessTokens, { of: { $case: 'authMethod', value: { identityId, method: 'universal-auth' } } })],
      ['was revoked with all of its identity', (_token, { identityId: value }) => admin.exchange(Exchange.revokeAccessTokens, { of: { $case: 'identityId', value } })],
      ['was revoked with all of the organization', () => admin.exchange(Exchange.revokeAccessTokens, { of: { $case: 'organization', value: {} } })],
      ['has expired', async () => system.clock.advance(HOUR)],
    ])('without a token that %s', async (_name, end) => {
      const workload = await newWorkload()
      const { identityId } = workload
      const token = await system.login(workload)
      expect(idsOf(await list({ identityId }))).toEqual([token.tokenId])
      await end(token, workload)
      admin = await system.session(system.admin)
      expect(await list({ identityId })).toEqual({ accessTokens: [], nextPageToken: '' })
      expect(idsOf(await list({ pageSize: 1 }))).toEqual([admin.tokenId])
    })

    it('with those of a disabled identity, which may be enabled again', async () => {
      const workload = await newWorkload()
      const { tokenId } = await system.login(workload)
      await system.everywhere(admin.registry(Registry.disableIdentity, { id: workload.identityId }))
      expect(idsOf(await list({ identityId: workload.identityId }))).toEqual([tokenId])
    })

    it('with nothing for an identity that there is not, or that is of another organization', async () => {
      const foreign = await system.newOrganization()
      await system.login(foreign)
      for (const identityId of [UNKNOWN_ID, foreign.identityId]) expect(await list({ identityId })).toEqual({ accessTokens: [], nextPageToken: '' })
    })

    // An organization may have a hundred million tokens that are over: no call looks through all of them.
    it('past any number of tokens that are over, in pages that may be empty', async () => {
      const workload = await newWorkload()
      const { tokenId } = await system.login(workload)
      const copies = `
        insert into exchange.access_token (organization_id, id, identity_id, method, credential_id, credential_epoch, method_epoch, issue_time, expire_time, max_expire_time)
        select t.organization_id, (left(t.id::text, 13) || '-7fff-bfff-' || lpad(to_hex(n), 12, '0'))::uuid, t.identity_id, t.method, t.credential_id, t.credential_epoch,
               t.method_epoch, t.issue_time, t.issue_time, t.max_expire_time
        from exchange.access_token t, generate_series(1, 5000) n where t.id = $1`
      await withClient(system.databases.superuserUrl, (client) => client.query(copies, [tokenId]))
      const { identityId } = workload
      const first = await list({ identityId })
      const second = await list({ identityId, pageToken: first.nextPageToken })
      expect([idsOf(first), first.nextPageToken !== '', idsOf(second), second.nextPageToken]).toEqual([[], true, [tokenId], ''])
    })
  })

  describe('refuses', () => {
    it('a request with everything wrong, naming all of it', async () => {
      await expect(list({ identityId: 'x', pageSize: 201, pageToken: 'y' })).rejects.toMatchObject(invalid('identity_id', 'page_size', 'page_token'))
    })
  })
})
