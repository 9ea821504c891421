import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { auditEvents, contentOf, isOneTransaction, type NamedCalls, underRequestId, withoutAudit } from '../identity-registry/audit-trail.js'
import { freshNames, makeWorkload } from '../support/builders.js'
import { SECOND } from '../support/manual-clock.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { makeToken, makeTokenAuth } from '../support/token-auth.js'
import { plainSecret, standardTokenAuth, untouched } from '../support/untouched.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })
const newIdentity = async () => (await admin.registry(Registry.createIdentity, { name: next(), role: '' })).id
const withTokenAuth = async () => (await makeTokenAuth(admin, { name: next() })).identityId
const lifetimes = untouched

type Event = {
  readonly type: string
  readonly id: string
  /** Nobody that is known, where both are null. */
  readonly by?: { readonly identityId: string | null; readonly tokenId: string | null }
  /** What was changed, where that is not the target itself. */
  readonly place?: { readonly table: string; readonly column: string }
}
type Mutation = Exclude<keyof typeof Exchange, `get${string}` | `list${string}` | `introspect${string}`>

// What a method writes down; `by` is somebody else than the admin. A method that is added and not called Get, List or Introspect has to
// have a row here: without it this does not compile.
const mutations: Record<Mutation, () => Promise<(by: NamedCalls) => Promise<Event>>> = {
  attachUniversalAuth: async () => {
    const id = await newIdentity()
    return (by) => by(Exchange.attachUniversalAuth, { identityId: id, ...lifetimes }).then(() => ({ type: 'auth-method', id }))
  },
  updateUniversalAuth: async () => {
    const { identityId: id } = await newWorkload()
    const request = { identityId: id, ...lifetimes, accessTokenTtlSeconds: 60, etag: '' }
    return (by) => by(Exchange.updateUniversalAuth, request).then(() => ({ type: 'auth-method', id }))
  },
  clearLockouts: async () => {
    const { identityId: id } = await newWorkload()
    return (by) => by(Exchange.clearLockouts, { identityId: id }).then(() => ({ type: 'auth-method', id }))
  },
  attachAuthMethod: async () => {
    const id = await newIdentity()
    return (by) => by(Exchange.attachAuthMethod, { identityId: id, ...standardTokenAuth }).then(() => ({ type: 'auth-method', id }))
  },
  updateAuthMethod: async () => {
    const id = await withTokenAuth()
    return (by) => by(Exchange.updateAuthMethod, { identityId: id, method: 'token-auth', ...standardTokenAuth, etag: '' }).then(() => ({ type: 'auth-method', id }))
  },
  removeAuthMethod: async () => {
    const id = await withTokenAuth()
    return (by) => by(Exchange.removeAuthMethod, { identityId: id, method: 'token-auth' }).then(() => ({ type: 'auth-method', id }))
  },
  createClientSecret: async () => {
    const { identityId } = await newWorkload()
    return async (by) => ({ type: 'client-secret', id: (await by(Exchange.createClientSecret, { identityId, ...plainSecret })).clientSecret?.id ?? '' })
  },
  revokeClientSecret: async () => {
    const { identityId, secretId: id } = await newWorkload()
    return (by) => by(Exchange.revokeClientSecret, { identityId, id }).then(() => ({ type: 'client-secret', id }))
  },
  rotateClientSecret: async () => {
    const { identityId, secretId: id } = await newWorkload()
    const request = { identityId, id, overlapSeconds: undefined, wrapTtlSeconds: 0 }
    return (by) => by(Exchange.rotateClientSecret, request).then(() => ({ type: 'client-secret', id }))
  },
  unwrapClientSecret: async () => {
    const { identityId } = await newWorkload()
    const { clientSecret, wrappingToken } = await admin.exchange(Exchange.createClientSecret, { identityId, ...plainSecret, wrapTtlSeconds: 60 })
    const place = { table: 'wrapped_secret', column: 'client_secret_id' }
    const event = { type: 'client-secret', id: clientSecret?.id ?? '', by: { identityId: null, tokenId: null }, place }
    return (by) => by(Exchange.unwrapClientSecret, { wrappingToken }).then(() => event)
  },
  createPrincipal: async () => {
    const [identityId, name] = [await newIdentity(), next()]
    return async (by) => ({ type: 'principal', id: (await by(Exchange.createPrincipal, { identityId, name })).principal?.id ?? '' })
  },
  deletePrincipal: async () => {
    const id = (await admin.exchange(Exchange.createPrincipal, { identityId: await newIdentity(), name: next() })).principal?.id ?? ''
    return (by) => by(Exchange.deletePrincipal, { id }).then(() => ({ type: 'principal', id }))
  },
  login: async () => {
    const { identityId, clientId, clientSecret } = await newWorkload()
    return async (by) => {
      const { tokenId } = await by(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })
      return { type: 'access-token', id: tokenId, by: { identityId, tokenId } }
    }
  },
  renewAccessToken: async () => {
    const { identityId, clientId, clientSecret } = await newWorkload()
    const { accessToken, tokenId } = await system.login({ clientId, clientSecret })
    system.clock.advance(SECOND)
    return (by) => by(Exchange.renewAccessToken, { accessToken }).then(() => ({ type: 'access-token', id: tokenId, by: { identityId, tokenId } }))
  },
  createAccessToken: async () => {
    const identityId = await withTokenAuth()
    return async (by) => ({ type: 'access-token', id: (await by(Exchange.createAccessToken, { identityId, name: 'ci' })).tokenId })
  },
  updateAccessToken: async () => {
    const { tokenId: id } = await makeToken(admin, { identityId: await withTokenAuth() })
    return (by) => by(Exchange.updateAccessToken, { tokenId: id, name: 'renamed' }).then(() => ({ type: 'access-token', id }))
  },
  revokeAccessTokens: async () => {
    const { identityId, secretId: id } = await newWorkload()
    const of = { $case: 'clientSecret', value: { identityId, id } } as const
    return (by) => by(Exchange.revokeAccessTokens, { of }).then(() => ({ type: 'client-secret', id }))
  },
  revokeAccessToken: async () => {
    const { tokenId: id } = await system.login(await newWorkload())
    return (by) => by(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: id } }).then(() => ({ type: 'access-token', id }))
  },
}

const asAdmin = <T>(requestId: string, work: (by: NamedCalls) => Promise<T>) =>
  underRequestId({ address: system.addresses.exchange, token: admin.token, requestId }, work)
const eventsOf = (requestId: string) => auditEvents(system.databases.superuserUrl, 'exchange', requestId)
const placeOf = (type: string, method: string) => {
  const table = method.endsWith('UniversalAuth') ? 'universal_auth' : type.replace('-', '_')
  return { table, column: type === 'auth-method' ? 'identity_id' : 'id' }
}
const content = () => contentOf(system.databases.superuserUrl, 'exchange')

describe('the audit trail of auth-exchange', () => {
  it.each(Object.entries(mutations))('has exactly one event for %s, with actor, action, target and request id', async (name, prepare) => {
    const { type, id, by = { ...system.admin, tokenId: admin.tokenId }, place = placeOf(type, name) } = await asAdmin(`audited-${name}`, await prepare())
    expect(await eventsOf(`audited-${name}`)).toEqual([
      {
        organization_id: system.admin.organizationId,
        action: name.replace(/^./, (first) => first.toUpperCase()),
        actor_identity_id: by.identityId,
        actor_token_id: by.tokenId,
        target_type: type,
        target_id: id,
        details: expect.any(Object),
      },
    ])
    expect(await isOneTransaction(system.databases.superuserUrl, 'exchange', `audited-${name}`, { ...place, id })).toBe(true)
  })

  // This one was seen to fail with the event written behind the transaction, the one above with it written beside it.
  it.each(Object.entries(mutations))('is part of the transaction of %s: where there can be no event nothing is changed', async (_name, prepare) => {
    const call = await prepare()
    const before = await content()
    const refused = withoutAudit(system.databases.superuserUrl, 'exchange', () => asAdmin('unaudited', call))
    await expect(refused).rejects.toMatchObject({ kind: 'INTERNAL', reason: 'INTERNAL' })
    expect(await content()).toEqual(before)
  })

  it('names the holder of a token as who revoked it, where the token itself was shown', async () => {
    const { identityId, clientId, clientSecret } = await newWorkload()
    const { accessToken: value, tokenId } = await system.login({ clientId, clientSecret })
    const anonymous = { address: system.addresses.exchange, requestId: 'by-holder' }
    await underRequestId(anonymous, (by) => by(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value } }))
    const [event] = await eventsOf('by-holder')
    expect(event).toMatchObject({ action: 'RevokeAccessToken', actor_identity_id: identityId, actor_token_id: tokenId, target_id: tokenId })
  })

  it('names nobody as who bootstrapped: that was the operator of the installation', async () => {
    const { organizationId, identityId } = await system.newOrganization()
    const query = 'select action, actor_identity_id, actor_token_id, target_id from exchange.audit_event where organization_id = $1'
    const { rows } = await withClient(system.databases.superuserUrl, (client) => client.query(query, [organizationId]))
    expect(rows).toEqual([{ action: 'Bootstrap', actor_identity_id: null, actor_token_id: null, target_id: identityId }])
  })

  it('has no event for revoking what is revoked, which changes nothing', async () => {
    const { identityId, secretId: id, ...credentials } = await newWorkload()
    const { tokenId: value } = await system.login(credentials)
    const revoke = (requestId: string) =>
      asAdmin(requestId, async (by) => {
        await by(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value } })
        await by(Exchange.revokeClientSecret, { identityId, id })
      })
    await revoke('first')
    const before = await content()
    await revoke('second')
    expect(await content()).toEqual(before)
    expect([await eventsOf('first'), await eventsOf('second')]).toMatchObject([[{}, {}], []])
  })
})
