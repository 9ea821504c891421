import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIds } from '#libs/ids.js'
import { CREDENTIAL_HEADER, digestOf } from '#libs/rpc/service-credential.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ExchangeInternalServiceService as Internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Admin } from '../../deploy/local/bootstrap.js'
import { secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { invalid } from '../identity-registry/expected.js'
import { makeWorkload, UNKNOWN_ID } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { HOUR } from '../support/manual-clock.js'
import { stampOf } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { type AnotherExchange, anotherExchange } from './another-exchange.js'
import { untouched } from '../support/untouched.js'

const SIDECAR = 's'.repeat(32)

let system: System
let admin: Session
/** An exchange on the same database that knows one caller, which may ask about the first organization only. */
let confining: AnotherExchange
const opened: Calls[] = []

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  const methods = ['/countersign.exchange.v1.ExchangeInternalService/*']
  const caller = { name: 'sidecar', digests: [digestOf(SIDECAR)], methods, organizations: [system.admin.organizationId], projects: ['*'] }
  confining = await anotherExchange(system, { INTERNAL_CALLERS: JSON.stringify([caller]) })
})
afterAll(async () => {
  for (const calls of opened) calls.close()
  await confining.close()
  await system.close()
})

const open = (address: string, headers: Record<string, string>): Calls => {
  const calls = callsTo(address, headers)
  opened.push(calls)
  return calls
}
const as = (credential: string) => open(system.addresses.exchangeInternal, credential === '' ? {} : { [CREDENTIAL_HEADER]: credential })
const asCheck = () => as(`authorization-check:${system.secrets.checkCredential}`)
const asBootstrap = () => as(`bootstrap:${system.secrets.bootstrapCredential}`)
const asSidecar = () => open(confining.internalAddress, { [CREDENTIAL_HEADER]: `sidecar:${SIDECAR}` })

const ids = createIds({ now: () => new Date() })
const newSecretText = (id = ids.next()) => secretText(id, randomBytes(32))

describe('DescribeToken', () => {
  const describeToken = (accessToken: string, by = asCheck()) => by(Internal.describeToken, { accessToken })
  const updateMethod = (identityId: string) =>
    admin.exchange(Exchange.updateUniversalAuth, { identityId, ...untouched, accessTokenTtlSeconds: 60, etag: '' })
  const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }

  describe('answers', () => {
    it('with whose token it is, what obtained it, when it expires and whether it is revoked, as of the last change', async () => {
      const workload = await makeWorkload(admin, { name: 'billing' })
      const { identityId, secretId: credentialId } = workload
      const { accessToken, tokenId, expireTime } = await system.login(workload)
      const { organizationId } = system.admin
      const token = { tokenId, organizationId, identityId, credentialId, method: 'universal-auth', expireTime, authClaims: {}, useLimited: false, trustedIps: { cidrs: ['0.0.0.0/0', '::/0'] } }
      const { revision } = await updateMethod(identityId)
      expect(await describeToken(accessToken)).toEqual({ ...token, revoked: false, stamp: stampOf(revision) })
      const revocation = await admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })
      expect(await describeToken(accessToken)).toEqual({ ...token, revoked: true, stamp: stampOf(revocation.revision) })
    })

    it('that it is revoked, to a token of a revoked secret', async () => {
      const workload = await makeWorkload(admin, { name: 'revoked-secret' })
      const [{ accessToken }, other] = [await system.login(workload), await system.login(await makeWorkload(admin, { name: 'kept' }))]
      await admin.exchange(Exchange.revokeClientSecret, { identityId: workload.identityId, id: workload.secretId })
      expect(await describeToken(accessToken)).toMatchObject({ identityId: workload.identityId, revoked: true })
      expect(await describeToken(other.accessToken)).toMatchObject({ revoked: false })
    })
  })

  describe('refuses', () => {
    it('a token that is malformed, forged or expired', async () => {
      const token = await system.login(await makeWorkload(admin, { name: 'refused' }))
      const forged = token.accessToken.replace(/\.[^.]*\./, '.e30.')
      for (const text of ['x', forged]) await expect(describeToken(text)).rejects.toMatchObject(rejected)

      expect(await describeToken(token.accessToken)).toMatchObject({ tokenId: token.tokenId })
      system.clock.advance(HOUR)
      await expect(describeToken(token.accessToken)).rejects.toMatchObject(rejected)
      admin = await system.session(system.admin)
    })

    // Seen to fail without the question whether the caller may ask about the token's organization.
    it('a token of an organization that the caller may not ask about', async () => {
      const { accessToken } = await system.login(await system.newOrganization())
      expect(await describeToken(accessToken)).toMatchObject({ method: 'universal-auth' })
      await expect(describeToken(accessToken, asSidecar())).rejects.toMatchObject(rejected)
      expect(await describeToken(admin.token, asSidecar())).toMatchObject({ tokenId: admin.tokenId })
    })

    it('a request with nothing or too much in it', async () => {
      for (const text of ['', 'x'.repeat(4097)]) await expect(describeToken(text)).rejects.toMatchObject(invalid('access_token'))
    })
  })
})

describe('DescribePrincipal', () => {
  const describePrincipal = (name: string, by = asCheck(), organizationId = system.admin.organizationId) => by(Internal.describePrincipal, { organizationId, name })
  const newIdentity = async (name: string, of = admin) => (await of.registry(Registry.createIdentity, { name, role: '' })).id
  const create = (identityId: string, name: string, of = admin) => of.exchange(Exchange.createPrincipal, { identityId, name })
  const nobody = { principalId: '', identityId: '' }

  describe('answers', () => {
    it('with whose it is from when it was created until it was deleted, and before and after that it is nobody’s, as of the last change', async () => {
      const { organizationId } = system.admin
      const [name, identityId] = ['spiffe://acme/orders', await newIdentity('orders')]
      expect(await describePrincipal(name)).toMatchObject({ ...nobody, organizationId, stamp: { seq: expect.any(Number) } })
      const { principal, revision } = await create(identityId, name)
      expect(await describePrincipal(name)).toEqual({ principalId: principal?.id, organizationId, identityId, stamp: stampOf(revision) })
      const deletion = await admin.exchange(Exchange.deletePrincipal, { id: principal?.id ?? '' })
      expect(await describePrincipal(name)).toEqual({ ...nobody, organizationId, stamp: stampOf(deletion.revision) })
    })

    it('with whose it is in the organization that was named', async () => {
      const other = await system.newOrganization()
      const session = await system.session(other)
      const [here, there] = [await newIdentity('here'), await newIdentity('there', session)]
      await create(here, 'CN=twin')
      await create(there, 'CN=twin', session)
      expect(await describePrincipal('CN=twin')).toMatchObject({ identityId: here })
      expect(await describePrincipal('CN=twin', asCheck(), other.organizationId)).toMatchObject({ organizationId: other.organizationId, identityId: there })
    })

    // Whether the identity is there and active is asked of identity-registry, whose answer is as fresh.
    it('with the identity also once that is disabled, or deleted', async () => {
      const identityId = await newIdentity('leaving')
      await create(identityId, 'CN=leaving')
      await admin.registry(Registry.disableIdentity, { id: identityId })
      expect(await describePrincipal('CN=leaving')).toMatchObject({ identityId })
      await admin.registry(Registry.deleteIdentity, { id: identityId, etag: '' })
      expect(await describePrincipal('CN=leaving')).toMatchObject({ identityId })
    })

    it.each([['none', ''], ['one with NUL', 'CN=a\0b'], ['one that is no ASCII', 'CN=bäd'], ['one with spaces around it', ' CN=leaving '], ['one in another case', 'cn=leaving'], ['a pattern', '*'], ['a long one', 'x'.repeat(20_000)]])(
      'that a name that can be nobody’s is nobody’s: %s',
      async (_what, name) => expect(await describePrincipal(name)).toMatchObject(nobody),
    )

    // Seen to fail without the question whether the caller may ask about the organization.
    it('as of a name that is nobody’s, of an organization that the caller may not ask about', async () => {
      const other = await system.newOrganization()
      const session = await system.session(other)
      await create(await newIdentity('hidden', session), 'CN=hidden', session)
      await create(await newIdentity('shown'), 'CN=shown')
      const [hidden, unknown] = [await describePrincipal('CN=hidden', asSidecar(), other.organizationId), await describePrincipal('CN=nobody', asSidecar(), other.organizationId)]
      expect(hidden).toEqual({ ...nobody, organizationId: other.organizationId, stamp: expect.any(Object) })
      expect(unknown).toMatchObject({ ...nobody, organizationId: other.organizationId })
      expect(await describePrincipal('CN=shown', asSidecar())).toMatchObject({ organizationId: system.admin.organizationId })
      expect((await describePrincipal('CN=shown', asSidecar())).identityId).not.toBe('')
    })
  })

  describe('refuses', () => {
    it('what is no organization', async () => {
      await expect(describePrincipal('CN=orders', asCheck(), 'x')).rejects.toMatchObject(invalid('organization_id'))
    })
  })
})

describe('Bootstrap', () => {
  const bootstrap = (request: Admin, by = asBootstrap()) => by(Internal.bootstrap, request)
  const content = () => contentOf(system.databases.superuserUrl, 'exchange')
  const conflict = { kind: 'ALREADY_EXISTS', reason: 'BOOTSTRAP_CONFLICT' }

  describe('answers', () => {
    it('again and changes nothing', async () => {
      const before = await content()
      await bootstrap(system.admin)
      expect(await content()).toEqual(before)
    })

    it('again after the secret was revoked, which stays revoked', async () => {
      const other = await system.newOrganization()
      const session = await system.session(other)
      const { clientSecrets } = await session.exchange(Exchange.listClientSecrets, { identityId: other.identityId, pageSize: 0, pageToken: '' })
      await session.exchange(Exchange.revokeClientSecret, { identityId: other.identityId, id: clientSecrets[0]?.id ?? '' })
      await bootstrap(other)
      await expect(system.login(other)).rejects.toMatchObject({ reason: 'CREDENTIALS_REJECTED' })
    })

    it('to five at once with one method and one secret', async () => {
      const { identityId } = await makeWorkload(admin, { name: 'unused' })
      const request = { organizationId: UNKNOWN_ID, identityId, clientId: ids.next(), clientSecret: newSecretText() }
      await Promise.all(Array.from({ length: 5 }, () => bootstrap(request)))
      const before = await content()
      await bootstrap(request)
      expect(await content()).toEqual(before)
    })
  })

  describe('refuses', () => {
    it.each<[string, (taken: Admin, other: Admin) => Partial<Admin>]>([
      ['a client id of another identity', () => ({ identityId: UNKNOWN_ID })],
      ['a client id of another organization', ({ clientId }, other) => ({ ...other, clientId })],
      ['an identity that has another client id', () => ({ clientId: ids.next() })],
      ['a client id and an identity that have another secret', () => ({ clientSecret: newSecretText() })],
      ['a secret id of another identity', () => ({ identityId: ids.next(), clientId: ids.next() })],
    ])('%s, and changes nothing', async (_name, changed) => {
      const other = await system.newOrganization()
      const before = await content()
      await expect(bootstrap({ ...system.admin, ...changed(system.admin, other) })).rejects.toMatchObject(conflict)
      expect(await content()).toEqual(before)
    })

    it('an organization that the caller may not ask about', async () => {
      const request = { organizationId: UNKNOWN_ID, identityId: UNKNOWN_ID, clientId: UNKNOWN_ID, clientSecret: newSecretText() }
      await expect(bootstrap(request, asSidecar())).rejects.toMatchObject({ kind: 'PERMISSION_DENIED', reason: 'SERVICE_NOT_ALLOWED' })
    })

    it('a request with everything wrong, naming all of it', async () => {
      const wrong = bootstrap({ organizationId: '', identityId: '', clientId: '', clientSecret: newSecretText().replace(/.$/, '_') })
      await expect(wrong).rejects.toMatchObject(invalid('organization_id', 'identity_id', 'client_id', 'client_secret'))
    })
  })
})

describe('a service credential', () => {
  const methods: Record<keyof typeof Internal, (by: Calls) => Promise<unknown>> = {
    describeToken: (by) => by(Internal.describeToken, { accessToken: admin.token }),
    consumeUse: (by) => by(Internal.consumeUse, { accessToken: admin.token, sourceAddress: '' }),
    describePrincipal: (by) => by(Internal.describePrincipal, { organizationId: system.admin.organizationId, name: 'CN=orders' }),
    bootstrap: (by) => by(Internal.bootstrap, system.admin),
    listSigningKeys: (by) => by(Internal.listSigningKeys, {}),
    rotateSigningKey: (by) => by(Internal.rotateSigningKey, { atOnce: false }),
    revokeSigningKey: (by) => by(Internal.revokeSigningKey, { kid: 'k'.repeat(43) }),
  }

  it.each(Object.entries(methods))('that is missing, wrong or of nobody is rejected by %s', async (_name, call) => {
    const { checkCredential, bootstrapCredential } = system.secrets
    const wrong = ['', 'bootstrap', `authorization-check:${bootstrapCredential}`, `bootstrap:${checkCredential}`, `nobody:${checkCredential}`]
    const callers = [...wrong.map(as), open(system.addresses.exchangeInternal, bearer(admin.token))]
    for (const by of callers) await expect(call(by)).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'SERVICE_CREDENTIAL_REJECTED' })
  })

  it.each([['describeToken', asBootstrap], ['consumeUse', asBootstrap], ['describePrincipal', asBootstrap], ['bootstrap', asCheck], ['listSigningKeys', asCheck], ['rotateSigningKey', asCheck], ['revokeSigningKey', asCheck]] as const)('that is good for others is not good for %s', async (name, by) => {
    const refusal = { kind: 'PERMISSION_DENIED', reason: 'SERVICE_NOT_ALLOWED', metadata: { method: Internal[name].path } }
    await expect(methods[name](by())).rejects.toMatchObject(refusal)
  })
})
