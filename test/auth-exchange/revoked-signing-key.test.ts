import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { Closing } from '#libs/lifecycle.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ExchangeInternalServiceService as Internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { SIDECAR_METHODS, startRelay, startSidecar } from '../sidecar/sidecar.js'
import { makeWorkload } from '../support/builders.js'
import { type Calls, callsTo } from '../support/calls.js'
import { checkOnNetwork, internalsFor } from '../support/confined-services.js'
import { operatorOf } from '../support/operator.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { BOUNDED, startSystem, type System } from '../support/system.js'
import { type AnotherExchange, anotherExchange } from './another-exchange.js'

// A key that somebody else may have is rotated away and revoked, by one replica; the system's own auth-exchange is told
// nothing of it, and what is in its memory is older.

const closing = new Closing()
let system: System
let another: AnotherExchange
let operator: Calls
/** A second authorization-check with the same Redis, and a sidecar that is confined to the first organization. */
let replica: Calls
let sidecar: Calls

beforeAll(async () => {
  system = await startSystem()
  closing.add(() => system.close())
  another = await anotherExchange(system)
  closing.add(() => another.close())
  operator = operatorOf(system, another.internalAddress)
  closing.add(() => operator.close())
  const check = await checkOnNetwork(system, { HOST: '127.0.0.1', REDIS_URL: inject('redisUrl') })
  closing.add(() => check.close())
  replica = callsTo(check.address)
  closing.add(() => replica.close())
  sidecar = await confinedSidecar()
})
afterAll(() => closing.close())

async function confinedSidecar(): Promise<Calls> {
  const callers = [{ name: 'sidecar', organizations: [system.admin.organizationId], methods: SIDECAR_METHODS }]
  const owners = await internalsFor(system, callers)
  closing.add(() => owners.close())
  const relay = await startRelay(system, callers)
  closing.add(() => relay.close())
  const scratch = await scratchDirectory()
  closing.add(() => scratch.remove())
  const started = await startSidecar({ folder: scratch.path, name: 'sidecar', registry: owners.registry, exchange: owners.exchange, relay: `127.0.0.1:${relay.relayPort}` })
  closing.add(() => started.close())
  const calls = callsTo(started.address)
  closing.add(() => calls.close())
  return calls
}

const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const login = async (): Promise<string> => (await system.login(system.admin)).accessToken
const ask = (by: Calls, accessToken: string) =>
  by(Check.check, { accessToken, projectId: '', action: 'read', resource: { type: 'organization', attributes: {} }, consistency: BOUNDED, context: {}, sourceAddress: '' })

/** Revokes the key that signs, at which another signs; answers the receipt's revision. */
async function revokeActiveKey(): Promise<{ readonly kid: string; readonly revision: string }> {
  const kid = decodeProtectedHeader(await login()).kid ?? ''
  await operator(Internal.rotateSigningKey, { atOnce: true })
  return { kid, ...(await operator(Internal.revokeSigningKey, { kid })) }
}

describe('what a revoked key signed', () => {
  // Seen to be allowed, each, without the key among the dependencies of a token; and at the sidecar without the names of
  // what belongs to no organization in its pulls.
  it.each([
    ['the memory of authorization-check', () => system.anonymous.check, true],
    ['Redis, and no memory', () => replica, false],
    ['a sidecar that may ask about one organization', () => sidecar, true],
  ] as const)('is refused once the receipt is there, from %s', async (_where, by, isAskedBefore) => {
    const token = await login()
    if (isAskedBefore) expect(await ask(by(), token)).toMatchObject({ allowed: true })
    const { revision } = await revokeActiveKey()
    await by()(Check.waitForRevision, { revision })
    await expect(ask(by(), token)).rejects.toMatchObject(rejected)
    expect(await ask(by(), await login())).toMatchObject({ allowed: true })
  })

  // Seen to fail, each, without the key in the statement that reads the record, and in the transaction that revokes.
  it('is refused by a replica that still has the key in memory: described, renewed, introspected, revoked', async () => {
    const session = await system.session(system.admin)
    const workload = await makeWorkload(session, { name: 'of-before' })
    const { accessToken } = await system.login(workload)
    await revokeActiveKey()
    const { exchange } = system.anonymous
    await expect(ask(system.anonymous.check, accessToken)).rejects.toMatchObject(rejected)
    await expect(exchange(Exchange.renewAccessToken, { accessToken })).rejects.toMatchObject(rejected)
    await expect(exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value: accessToken } })).rejects.toMatchObject(rejected)
    const later = await system.session(system.admin)
    expect(await later.exchange(Exchange.introspectAccessToken, { accessToken })).toMatchObject({ active: false })
  })

  // What the login puts into Redis is as old as the key that it signed with. Seen to be allowed without the key among the
  // dependencies of a token.
  it('is refused also where the login was under way', async () => {
    const { secretId, ...workload } = await makeWorkload(await system.session(system.admin), { name: 'under-way' })
    const { token, revoked } = await heldTransaction(system.databases.superuserUrl, async (held) => {
      await held.run('select from exchange.client_secret where id = $1 for update', [secretId])
      const pending = system.login(workload)
      await held.awaited()
      const done = await revokeActiveKey()
      await held.commit()
      return { token: (await pending).accessToken, revoked: done }
    })
    expect(decodeProtectedHeader(token).kid).toBe(revoked.kid)
    await replica(Check.waitForRevision, { revision: revoked.revision })
    await expect(ask(replica, token)).rejects.toMatchObject(rejected)
  })
})
