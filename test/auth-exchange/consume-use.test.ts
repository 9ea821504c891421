import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CREDENTIAL_HEADER } from '#libs/rpc/service-credential.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ExchangeInternalServiceService as Internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames } from '../support/builders.js'
import { type Calls, callsTo } from '../support/calls.js'
import { CALLER_SECRET, internalsFor } from '../support/confined-services.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { give, type Settings, workloadWith } from '../support/token-settings.js'

let system: System
let admin: Session
let asCheck: Calls
/** A caller that may ask about the first organization only. */
let asSidecar: Calls
let confined: Awaited<ReturnType<typeof internalsFor>>

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  asCheck = callsTo(system.addresses.exchangeInternal, { [CREDENTIAL_HEADER]: `authorization-check:${system.secrets.checkCredential}` })
  confined = await internalsFor(system, [{ name: 'sidecar', organizations: [system.admin.organizationId] }])
  asSidecar = callsTo(confined.exchange, { [CREDENTIAL_HEADER]: `sidecar:${CALLER_SECRET}` })
})
afterAll(async () => {
  for (const calls of [asCheck, asSidecar]) calls.close()
  await confined.close()
  await system.close()
})

const next = freshNames('workload')
const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const consume = (accessToken: string, sourceAddress = '', by = asCheck) => by(Internal.consumeUse, { accessToken, sourceAddress })
const run = (sql: string, values: readonly unknown[] = []) => withClient(system.databases.superuserUrl, (client) => client.query<Record<string, unknown>>(sql, [...values]))
const usesOf = async (tokenId: string) => (await run('select uses, last_used_time from exchange.access_token where id = $1', [tokenId])).rows[0]

async function newToken(settings: Settings = { accessTokenUseLimit: 3 }) {
  const workload = await workloadWith(admin, next(), settings)
  return { ...workload, ...(await system.login(workload)) }
}

describe('ConsumeUse', () => {
  describe('answers', () => {
    it('when the use is there to be read, with its time, and nothing of it is in the feed', async () => {
      const { accessToken, tokenId } = await newToken()
      const changes = async () => (await run('select seq, (select count(*) from exchange.feed_change) from exchange.feed_head')).rows
      const before = await changes()
      system.clock.advance(SECOND)
      expect(await consume(accessToken)).toEqual({ counted: true })
      expect(await usesOf(tokenId)).toEqual({ uses: 1, last_used_time: system.clock.now() })
      expect(await changes()).toEqual(before)
    })

    it('so many as there are, with every token of the lineage', async () => {
      const { accessToken, tokenId } = await newToken()
      system.clock.advance(SECOND)
      const renewed = await system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
      for (const text of [accessToken, renewed.accessToken, accessToken]) expect(await consume(text)).toEqual({ counted: true })
      for (const text of [accessToken, renewed.accessToken]) await expect(consume(text)).rejects.toMatchObject(rejected)
      expect(await usesOf(tokenId)).toMatchObject({ uses: 3 })
    })

    // Whoever hears UNAUTHENTICATED throws a good token away.
    it.each(['11.0.0.1', '::1', ''])('that none was counted, where the token may not be used from there: %j', async (from) => {
      const { accessToken, tokenId, identityId } = await newToken({ accessTokenUseLimit: 1, accessTokenTrustedIps: { cidrs: ['10.0.0.0/8', '2001:db8::/32'] } })
      expect(await consume(accessToken, from)).toEqual({ counted: false })
      expect(await usesOf(tokenId)).toEqual({ uses: 0, last_used_time: null })
      await give(admin, identityId, { accessTokenTrustedIps: { cidrs: ['11.0.0.0/8', '0.0.0.0/0', '::/0'] } })
      expect(await consume(accessToken, from)).toEqual({ counted: true })
    })

    it.each(['10.1.2.3', '::ffff:10.1.2.3', '2001:DB8::1'])('where the token may be used from there: %j', async (from) => {
      const { accessToken } = await newToken({ accessTokenUseLimit: 1, accessTokenTrustedIps: { cidrs: ['10.0.0.0/8', '2001:db8::/32'] } })
      expect(await consume(accessToken, from)).toEqual({ counted: true })
    })
  })

  // Whatever was true when the question was judged is asked again by the statement that counts. Seen to fail with its
  // conditions taken out.
  describe('refuses, and counts nothing', () => {
    it.each<[string, (token: Awaited<ReturnType<typeof newToken>>) => Promise<unknown>]>([
      ['a token that was revoked', ({ tokenId }) => admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })],
      ['a token of a revoked secret', ({ identityId, secretId }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id: secretId })],
      ['a token of an identity whose tokens were revoked', ({ identityId }) => admin.exchange(Exchange.revokeAccessTokens, { of: { $case: 'identityId', value: identityId } })],
      ['a token of a method whose tokens were revoked', ({ identityId }) => admin.exchange(Exchange.revokeAccessTokens, { of: { $case: 'authMethod', value: { identityId, method: 'universal-auth' } } })],
      ['a token whose record is of somebody else', ({ tokenId }) => run('update exchange.access_token set identity_id = organization_id where id = $1', [tokenId])],
      ['a token whose record is of another secret', ({ tokenId }) => run('update exchange.access_token set credential_id = id where id = $1', [tokenId])],
      ['a token that says a later end than any that was issued', ({ tokenId }) => run("update exchange.access_token set expire_time = expire_time - interval '1 second' where id = $1", [tokenId])],
      ['a token whose uses are spent', ({ tokenId }) => run('update exchange.access_token set uses = use_limit where id = $1', [tokenId])],
      ['a token that nothing is on record of', ({ tokenId }) => run('delete from exchange.access_token where id = $1', [tokenId])],
    ])('%s', async (_what, end) => {
      const token = await newToken()
      await end(token)
      const before = await usesOf(token.tokenId)
      await expect(consume(token.accessToken, '10.1.2.3')).rejects.toMatchObject(rejected)
      expect(await usesOf(token.tokenId)).toEqual(before)
    })

    it('a token that has expired, though its lineage goes on', async () => {
      const { accessToken } = await newToken({ accessTokenUseLimit: 3, accessTokenTtlSeconds: 60 })
      system.clock.advance(30 * SECOND)
      const renewed = await system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
      system.clock.advance(30 * SECOND)
      await expect(consume(accessToken)).rejects.toMatchObject(rejected)
      expect(await consume(renewed.accessToken)).toEqual({ counted: true })
      system.clock.advance(HOUR)
      admin = await system.session(system.admin)
    })

    it('a token that is malformed or forged', async () => {
      const { accessToken } = await newToken()
      for (const text of ['x', accessToken.replace(/\.[^.]*\./, '.e30.')]) await expect(consume(text)).rejects.toMatchObject(rejected)
    })

    // Seen to fail without the question whether the caller may ask about the token's organization.
    it('a token of an organization that the caller may not ask about', async () => {
      const { accessToken, tokenId } = await system.login(await system.newOrganization())
      await expect(consume(accessToken, '', asSidecar)).rejects.toMatchObject(rejected)
      expect(await usesOf(tokenId)).toMatchObject({ uses: 0 })
      expect(await consume((await newToken()).accessToken, '', asSidecar)).toEqual({ counted: true })
    })

    it('what is no token and no address', async () => {
      await expect(consume('', '10.0.0.0/8')).rejects.toMatchObject(invalid('access_token', 'source_address'))
      await expect(consume('x'.repeat(4097))).rejects.toMatchObject(invalid('access_token'))
    })
  })
})
