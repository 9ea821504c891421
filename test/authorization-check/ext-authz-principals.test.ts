import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { allow, freshNames, type Limited, makeLimited } from '../support/builders.js'
import { type Asked, askAsEnvoy, bearerHeader, LET_THROUGH, refused, seenByClient, toldToApplication } from '../support/envoy.js'
import { type Session, startSystem, type System } from '../support/system.js'

// A request without a token, whose client showed a certificate that the proxy verified: the name in it counts where the
// route says whose principals do.

let system: System
let admin: Session
let mine: Limited
let other: Limited

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  mine = await makeLimited(system, admin, 'mine')
  other = await makeLimited(system, admin, 'other')
  await mine.may(allow(['get'], ['orders']))
})
afterAll(() => system.close())

const next = freshNames('spiffe://acme/sa')

async function principalOf({ identityId }: { identityId: string }, name = next()) {
  const { principal } = await admin.exchange(Exchange.createPrincipal, { identityId, name })
  return { name, id: principal?.id ?? '' }
}

const route = (consistency: 'bounded' | 'full' = 'full', organization: string | undefined = system.admin.organizationId) =>
  ({ action: '{{method}}', resource: 'orders', consistency, ...(organization !== '' && { organization }) })

const ask = (principal: string, { extensions = route(), ...asked }: Asked = {}) => askAsEnvoy(system.anonymous.check, { extensions, principal, ...asked })
const seen = async (principal: string, asked?: Asked) => seenByClient(await ask(principal, asked))

const rejected = refused(401, 'PRINCIPAL_REJECTED', '')

describe('a principal', () => {
  it('is let through as the identity that it stands for, by its roles', async () => {
    const { name } = await principalOf(mine)
    const answer = await ask(name)
    expect(toldToApplication(answer)).toMatchObject({ 'x-countersign-identity': mine.identityId, 'x-countersign-identity-name': 'mine', 'x-countersign-organization': system.admin.organizationId })
    expect(answer.dynamicMetadata).toMatchObject({ identity_id: mine.identityId, method: 'principal', cacheable_for_ms: 0 })
    expect(answer.dynamicMetadata).not.toHaveProperty('token_id')
    expect(await seen(name, { method: 'DELETE' })).toMatchObject(refused(403, 'NO_RULE', 'insufficient_scope'))
  })

  it('is as the certificate has it, byte by byte', async () => {
    const { name } = await principalOf(mine, 'CN=billing of Acme,O=Acme\\, Inc.')
    expect(await seen(name)).toMatchObject(LET_THROUGH)
    for (const spelled of [name.toLowerCase(), ` ${name}`, `${name} `, name.slice(0, -1)]) expect(await seen(spelled)).toMatchObject(rejected)
  })

  it('that nobody is, or could be, is told so', async () => {
    for (const name of [next(), 'x'.repeat(513), 'x'.repeat(10_000), '\u00e9', '*', '\0']) expect(await seen(name)).toMatchObject(rejected)
  })

  it('counts for nothing where the route does not say whose', async () => {
    const { name } = await principalOf(mine)
    expect(await seen(name, { extensions: route('full', '') })).toMatchObject(refused(401, 'ACCESS_TOKEN_MISSING', ''))
    expect(await seen('')).toMatchObject(refused(401, 'ACCESS_TOKEN_MISSING', ''))
  })

  // Seen to fail with the organization left out of what copies are known by.
  it('is nobody in another organization, also where that one has such a name', async () => {
    const { name } = await principalOf(mine)
    const theirs = await system.newOrganization()
    const there = route('full', theirs.organizationId)
    expect(await seen(name)).toMatchObject(LET_THROUGH)
    expect(await seen(name, { extensions: there })).toMatchObject(rejected)
    const session = await system.session(theirs)
    await session.exchange(Exchange.createPrincipal, { identityId: theirs.identityId, name })
    expect(toldToApplication(await ask(name, { extensions: there }))).toMatchObject({ 'x-countersign-identity': theirs.identityId })
    expect(toldToApplication(await ask(name))).toMatchObject({ 'x-countersign-identity': mine.identityId })
  })
})

describe('beside a token', () => {
  // What the client says of itself is what it is judged by: a bad token is no reason to look at the certificate.
  it('a principal counts for nothing, whatever the token is', async () => {
    const { name } = await principalOf(mine)
    await other.may(allow(['delete'], ['orders']))
    expect(toldToApplication(await ask(name, { method: 'DELETE', headers: [bearerHeader(other.session.token)] }))).toMatchObject({ 'x-countersign-identity': other.identityId })
    expect(await seen(name, { headers: [bearerHeader(other.session.token)] })).toMatchObject(refused(403, 'NO_RULE', 'insufficient_scope'))
    expect(await seen(name, { headers: [bearerHeader('not.a.token')] })).toMatchObject(refused(401, 'ACCESS_TOKEN_REJECTED', 'invalid_token'))
    expect(await seen(name, { headers: [['authorization', '']] })).toMatchObject(refused(401, 'AUTHORIZATION_MALFORMED', 'invalid_request'))
  })
})

// Within the bound, with copies in memory: seen to fail with copies of principals that depend on nothing.
describe('what is changed counts within the bound', () => {
  const bounded = () => ({ extensions: route('bounded') })

  it('where a principal is created that was known to be nobody', async () => {
    const name = next()
    expect(await seen(name, bounded())).toMatchObject(rejected)
    await system.everywhere(admin.exchange(Exchange.createPrincipal, { identityId: mine.identityId, name }))
    expect(await seen(name, bounded())).toMatchObject(LET_THROUGH)
  })

  it('where it is deleted, and given to another identity', async () => {
    const { name, id } = await principalOf(mine)
    await system.everywhere(admin.exchange(Exchange.deletePrincipal, { id }))
    await system.everywhere(admin.exchange(Exchange.createPrincipal, { identityId: mine.identityId, name }))
    expect(await seen(name, bounded())).toMatchObject(LET_THROUGH)
    const { principals } = await admin.exchange(Exchange.listPrincipals, { identityId: mine.identityId, pageSize: 200, pageToken: '' })
    await system.everywhere(admin.exchange(Exchange.deletePrincipal, { id: principals.find((one) => one.name === name)?.id ?? '' }))
    expect(await seen(name, bounded())).toMatchObject(rejected)
    await system.everywhere(admin.exchange(Exchange.createPrincipal, { identityId: other.identityId, name }))
    expect(await seen(name, bounded())).toMatchObject(refused(403, 'NO_RULE', 'insufficient_scope'))
  })

  it('where its identity is disabled, enabled and deleted', async () => {
    const stopped = await makeLimited(system, admin, 'stopped')
    await stopped.may(allow(['get'], ['orders']))
    const { name } = await principalOf(stopped)
    await system.everywhere(admin.registry(Registry.disableIdentity, { id: stopped.identityId }))
    expect(await seen(name, bounded())).toMatchObject(rejected)
    await system.everywhere(admin.registry(Registry.enableIdentity, { id: stopped.identityId }))
    expect(await seen(name, bounded())).toMatchObject(LET_THROUGH)
    await system.everywhere(admin.registry(Registry.deleteIdentity, { id: stopped.identityId, etag: '' }))
    expect(await seen(name, bounded())).toMatchObject(rejected)
  })
})
