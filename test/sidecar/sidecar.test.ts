import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Closing } from '#libs/lifecycle.js'
import { AuthorizationCheckServiceService as Check, type Consistency } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { bindTo, forEver, makeProject, makeWorkload, type Workload } from '../support/builders.js'
import { type Calls, callsTo } from '../support/calls.js'
import { internalsFor } from '../support/confined-services.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { BOUNDED, FULL, type Session, startSystem, type System } from '../support/system.js'
import { type Running, SIDECAR_METHODS, startRelay, startSidecar } from './sidecar.js'

// One sidecar whose feeds come from a relay and whose answers come from the owners; its credential is for one project.

const closing = new Closing()
let system: System
let admin: Session
let shop: string
let workload: Workload
let relay: Running
let sidecar: Calls

const callers = () => [{ name: 'sidecar', organizations: [system.admin.organizationId], projects: [shop], methods: SIDECAR_METHODS }]

beforeAll(async () => {
  system = await startSystem()
  closing.add(() => system.close())
  admin = await system.session(system.admin)
  shop = await makeProject(admin, 'shop')
  workload = await makeWorkload(admin, { name: 'orders' })
  await bindTo(admin, workload.identityId, shop, 'viewer')
  const owners = await internalsFor(system, callers())
  closing.add(() => owners.close())
  relay = await startRelay(system, callers())
  closing.add(() => relay.close())
  const scratch = await scratchDirectory()
  closing.add(() => scratch.remove())
  const started = await startSidecar({ folder: scratch.path, name: 'sidecar', registry: owners.registry, exchange: owners.exchange, relay: `127.0.0.1:${relay.relayPort}` })
  closing.add(() => started.close())
  sidecar = callsTo(started.address)
  closing.add(() => sidecar.close())
})
afterAll(() => closing.close())

type Asked = { readonly action?: string; readonly projectId?: string; readonly consistency?: Consistency }

const ask = (accessToken: string, { action = 'read', projectId = shop, consistency = BOUNDED }: Asked = {}) =>
  sidecar(Check.check, { accessToken, projectId, action, resource: { type: 'secrets', attributes: {} }, consistency, context: {}, sourceAddress: '' })

const tokenOf = async (of: Workload): Promise<{ readonly token: string; readonly tokenId: string }> => {
  const { accessToken: token, tokenId } = await system.login(of)
  return { token, tokenId }
}

const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }

describe('a sidecar behind a relay', () => {
  it('allows what a role allows and denies the rest, within the same bound', async () => {
    const { token } = await tokenOf(workload)
    expect(await ask(token, { consistency: FULL })).toMatchObject({ allowed: true, stalenessBoundMillis: 250 })
    expect(await ask(token)).toMatchObject({ allowed: true, stalenessBoundMillis: 250 })
    expect(await ask(token, { action: 'delete' })).toMatchObject({ allowed: false })
  })

  // The relay is asked for what is current: what it remembers may lack what was just committed. Seen to fail with a relay
  // that answers what it remembers to whoever waits.
  it('reflects at once what was just committed, where it is asked for it', async () => {
    const passing = await makeWorkload(admin, { name: 'passing' })
    const { token } = await tokenOf(passing)
    const unbind = (id: string) => admin.registry(Registry.deleteBinding, { id, projectId: shop, etag: '' })
    const askAt = (revision: string) => ask(token, { consistency: { level: { $case: 'atLeast', value: revision } } })
    for (let again = 0; again < 10; again += 1) {
      const { id: bindingId, revision } = await admin.registry(Registry.createBinding, { identityId: passing.identityId, projectId: shop, roles: [forEver('viewer')] })
      expect(await askAt(revision)).toMatchObject({ allowed: true })
      const gone = await unbind(bindingId)
      expect(await askAt(gone.revision)).toMatchObject({ allowed: false })
      const next = await bindTo(admin, passing.identityId, shop, 'viewer')
      expect(await ask(token, { consistency: FULL })).toMatchObject({ allowed: true })
      await unbind(next)
      expect(await ask(token, { consistency: FULL })).toMatchObject({ allowed: false })
    }
  })

  it('refuses a revoked token at once where it is asked for it, and without being asked after its receipt', async () => {
    const { token, tokenId } = await tokenOf(workload)
    expect(await ask(token)).toMatchObject({ allowed: true })
    const { revision } = await admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })
    await expect(ask(token, { consistency: { level: { $case: 'atLeast', value: revision } } })).rejects.toMatchObject(rejected)
    await sidecar(Check.waitForRevision, { revision })
    await expect(ask(token)).rejects.toMatchObject(rejected)
  })

  it('says so where a revision was never given out', async () => {
    const { token } = await tokenOf(workload)
    const { revision } = await ask(token)
    const ahead = revision.replace(/\d+(,|$)/g, '999999$1')
    await expect(ask(token, { consistency: { level: { $case: 'atLeast', value: ahead } } })).rejects.toMatchObject({ kind: 'OUT_OF_RANGE', reason: 'REVISION_AHEAD' })
  })

  // A relay that is gone takes the lease with it: an answer from memory would break the bound.
  it('decides nothing once its relay is gone, and goes on when it is back', async () => {
    const { token } = await tokenOf(workload)
    expect(await ask(token)).toMatchObject({ allowed: true })
    await relay.close()
    await expect.poll(() => ask(token).catch((error: unknown) => error), { timeout: 10_000 }).toMatchObject({ kind: 'UNAVAILABLE', reason: 'LEASE_LAPSED' })
    relay = await startRelay(system, callers(), String(relay.relayPort))
    await expect.poll(() => ask(token).catch((error: unknown) => error), { timeout: 10_000 }).toMatchObject({ allowed: true })
  })

  it('denies in a project that its credential is not for, and rejects a token of another organization', async () => {
    const { token } = await tokenOf(workload)
    const elsewhere = await makeProject(admin, 'elsewhere')
    await bindTo(admin, workload.identityId, elsewhere, 'admin')
    expect(await system.check(token, 'read', 'secrets', { projectId: elsewhere })).toMatchObject({ allowed: true })
    expect(await ask(token, { projectId: elsewhere, consistency: FULL })).toMatchObject({ allowed: false })
    const { token: foreign } = await system.session(await system.newOrganization())
    await expect(ask(foreign, { projectId: '', consistency: FULL })).rejects.toMatchObject(rejected)
  })
})
