import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { claimsOf, type RealKey, realKeyOf, reissued } from '../support/forged-tokens.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { RESPELLINGS } from '../support/respellings.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session
let real: RealKey

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  real = await realKeyOf(system)
})
afterAll(() => system.close())

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })
const introspect = (accessToken: string, by = admin) => by.exchange(Exchange.introspectAccessToken, { accessToken })
const revoke = (value: string) => system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value } })

const inactive = { active: false, tokenId: '', organizationId: '', identityId: '', method: '', credentialId: '', issueTime: undefined, expireTime: undefined, maxExpireTime: undefined, useLimit: 0, uses: 0, periodSeconds: 0 }

/** Whether Check honours it. */
async function isHonoured(token: string): Promise<boolean> {
  try {
    await system.check(token, 'read', 'secrets')
    return true
  } catch (error) {
    expect(error).toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' })
    return false
  }
}

describe('IntrospectAccessToken', () => {
  describe('answers', () => {
    it('with of whom a good token is, and from when to when it is good', async () => {
      const workload = await newWorkload()
      const { accessToken, tokenId } = await system.login(workload)
      const { iat = 0, exp = 0 } = decodeJwt(accessToken)
      const at = (seconds: number) => new Date(seconds * 1000)
      const { identityId, secretId: credentialId } = workload
      const facts = { active: true, tokenId, organizationId: system.admin.organizationId, identityId, method: 'universal-auth', credentialId }
      expect(await introspect(accessToken)).toEqual({ ...facts, issueTime: at(iat), expireTime: at(exp), maxExpireTime: at(iat + 86_400), useLimit: 0, uses: 0, periodSeconds: 0 })
    })

    it('of a renewed lineage with the times of the text that was shown', async () => {
      const { accessToken, tokenId, expireTime } = await system.login(await newWorkload())
      system.clock.advance(60 * SECOND)
      const renewed = await system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
      expect(await introspect(accessToken)).toMatchObject({ tokenId, expireTime })
      expect(await introspect(renewed.accessToken)).toMatchObject({ tokenId, issueTime: new Date(Math.floor(system.clock.now().getTime() / 1000) * 1000), expireTime: renewed.expireTime })
    })

    it.each<[string, boolean, (token: string) => string]>([
      ['that was issued so', true, (token) => token],
      ['that the real key signed anew with an earlier end', true, (token) => reissued(real, token, { exp: claimsOf(token).exp - 1 })],
      ['that the real key signed anew with a later end', false, (token) => reissued(real, token, { exp: claimsOf(token).exp + 1 })],
      ['that the real key signed for another', false, (token) => reissued(real, token, { sub: UNKNOWN_ID })],
      ['that was never a token', false, () => 'x.y.z'],
    ])('as Check does about a text %s: %s', async (_name, active, textOf) => {
      const shown = textOf((await system.login(await newWorkload())).accessToken)
      const answer = await introspect(shown)
      expect([answer.active, await isHonoured(shown)]).toEqual([active, active])
      if (!active) expect(answer).toEqual(inactive)
    })

    // One test of tokens, two ways to ask for it. Seen to fail without the revocation, and without the state of the identity.
    it.each<[string, (token: LoginResponse, workload: Workload) => Promise<unknown>]>([
      ['was revoked', ({ accessToken }) => revoke(accessToken)],
      ['was obtained with a secret that was revoked', (_token, { identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })],
      ['is of an identity that was disabled', (_token, { identityId: id }) => system.everywhere(admin.registry(Registry.disableIdentity, { id }))],
      ['is of an identity that was deleted', (_token, { identityId: id }) => system.everywhere(admin.registry(Registry.deleteIdentity, { id, etag: '' }))],
    ])('as Check does about a token that %s: not active', async (_name, end) => {
      const workload = await newWorkload()
      const token = await system.login(workload)
      await end(token, workload)
      expect([await introspect(token.accessToken), await isHonoured(token.accessToken)]).toEqual([inactive, false])
    })

    it.each(RESPELLINGS)('as Check does about a good token with %s: not active', async (_spelling, respelled) => {
      const { accessToken } = await system.login(system.admin)
      const shown = respelled(accessToken)
      if (shown !== accessToken) expect([await introspect(shown), await isHonoured(shown)]).toEqual([inactive, false])
    })

    it('as Check does about a token that has expired', async () => {
      const { accessToken } = await system.login(await newWorkload())
      system.clock.advance(HOUR)
      admin = await system.session(system.admin)
      expect([await introspect(accessToken), await isHonoured(accessToken)]).toEqual([inactive, false])
    })

    // Seen to fail without the comparison of the organizations.
    it('about a token of another organization as about none', async () => {
      const { accessToken } = await system.login(await system.newOrganization())
      expect([await introspect(accessToken), await isHonoured(accessToken)]).toEqual([inactive, true])
    })

    it('and writes nothing', async () => {
      const { accessToken } = await system.login(await newWorkload())
      const before = await contentOf(system.databases.superuserUrl, 'exchange')
      await introspect(accessToken)
      expect(await contentOf(system.databases.superuserUrl, 'exchange')).toEqual(before)
    })
  })

  describe('refuses', () => {
    it('a request without a token, or with what can be none', async () => {
      for (const text of ['', 'x'.repeat(4097)]) await expect(introspect(text)).rejects.toMatchObject(invalid('access_token'))
    })
  })
})
