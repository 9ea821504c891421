import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Closing } from '#libs/lifecycle.js'
import { CALLER_SECRET, checkOnNetwork, internalsFor } from '../support/confined-services.js'
import { addressesByService, type CallsByService, callsByService, type Outcome, type Headers, rawCallsTo } from '../support/raw-calls.js'
import { startSystem, type System } from '../support/system.js'
import { makeTenant, type Tenant } from '../support/tenant.js'
import { VALID_REQUESTS } from '../support/valid-requests.js'
import { encode, isInternal, type Method, methodNamed, METHODS, type WireMessage } from '../support/wire.js'
import { SIDECAR_METHODS, startRelay } from './sidecar.js'

// A machine was broken into, and somebody has what its sidecar had: one credential, for one project of organization A. Every
// method of the product is tried with it, with requests that are good for A, and its own with everything of organization B.
// Seen to fail with `*` for the methods, the organizations or the projects of the credential.

const closing = new Closing()
let a: Tenant
let b: Tenant
let system: System
let calls: CallsByService
let relay: ReturnType<typeof rawCallsTo>
const STOLEN = { 'countersign-credential': `sidecar:${CALLER_SECRET}` }

beforeAll(async () => {
  system = await startSystem()
  closing.add(() => system.close())
  a = await makeTenant(system, 'of-a', system.admin)
  b = await makeTenant(system, 'of-b', await system.newOrganization())
  const callers = [{ name: 'sidecar', organizations: [a.organizationId], projects: [a.earlier.projectId], methods: SIDECAR_METHODS }]
  const internals = await internalsFor(system, callers)
  closing.add(() => internals.close())
  const network = await checkOnNetwork(system)
  closing.add(() => network.close())
  const central = await startRelay(system, callers)
  closing.add(() => central.close())
  relay = rawCallsTo(`127.0.0.1:${central.relayPort}`)
  closing.add(() => relay.close())
  calls = callsByService({
    ...addressesByService(system),
    AuthorizationCheckService: network.address,
    RegistryInternalService: internals.registry,
    ExchangeInternalService: internals.exchange,
    ChangeFeedService: internals.registry,
  })
  closing.add(() => calls.close())
})
afterAll(() => closing.close())

const send = (method: Method, request: WireMessage, headers: Headers = STOLEN, to = calls.of(method.service)): Promise<Outcome> =>
  to.call(method.path, encode(method.desc.input, request), headers)

const answerText = ({ answer }: Outcome): string => answer?.toString('latin1') ?? ''

const isItsOwn = ({ path }: Method): boolean => SIDECAR_METHODS.includes(path)

describe('a stolen credential of a sidecar', () => {
  it.each(METHODS.filter((method) => isInternal(method) && !isItsOwn(method)).map((method) => [method.name, method] as const))('opens no %s', async (_name, method) => {
    for (const builder of VALID_REQUESTS.get(method.name) ?? []) expect(await send(method, await builder(a))).toMatchObject({ code: status.PERMISSION_DENIED, answer: undefined })
  })

  it.each(METHODS.filter((method) => !isInternal(method)).map((method) => [method.name, method] as const))('is worth nothing to %s, which anybody may call', async (_name, method) => {
    for (const builder of VALID_REQUESTS.get(method.name) ?? []) {
      const [stolen, nothing] = [await send(method, await builder(a)), await send(method, await builder(a), {})]
      // What needs no token needs no credential either; nobody else is let in by it.
      if (nothing.code !== status.OK) expect([status.UNAUTHENTICATED, status.PERMISSION_DENIED]).toContain(stolen.code)
      if (stolen.code === status.OK) expect(nothing.code).toBe(status.OK)
    }
  })

  it('is good for its own project, and tells nothing of another one or of another organization', async () => {
    const resolve = methodNamed('RegistryInternalService.ResolveGrants')
    const grants = (of: Tenant, projectId: string) => send(resolve, { organization_id: of.organizationId, identity_id: of.workload.identityId, project_id: projectId })
    const told = answerText(await grants(a, a.earlier.projectId))
    expect(told).toContain(a.workload.name)
    const elsewhere = answerText(await grants(a, a.projectId))
    for (const hidden of [a.projectRole.id, a.projectRole.name]) expect(elsewhere).not.toContain(hidden)
    for (const projectId of ['', b.projectId]) {
      const foreign = answerText(await grants(b, projectId))
      for (const hidden of [b.workload.name, b.organizationRole.id, b.projectRole.id]) expect(foreign).not.toContain(hidden)
    }
    const role = methodNamed('RegistryInternalService.ResolveRole')
    for (const [of, named] of [[b, b.organizationRole], [b, b.projectRole], [a, a.projectRole]] as const) {
      expect(answerText(await send(role, { organization_id: of.organizationId, role_id: named.id }))).not.toContain(named.name)
    }
    const describeToken = methodNamed('ExchangeInternalService.DescribeToken')
    expect((await send(describeToken, { access_token: a.workload.token })).code).toBe(status.OK)
    expect(await send(describeToken, { access_token: b.workload.token })).toMatchObject({ code: status.UNAUTHENTICATED, answer: undefined })
  })

  it.each([['its owner', () => calls.of('ChangeFeedService')], ['a relay', () => relay]] as const)('is told by %s that there are changes of others, and not which', async (_whom, to) => {
    const pull = methodNamed('ChangeFeedService.PullChanges')
    const [before] = /[0-9a-f]{16}/.exec(await b.revision()) ?? []
    const request = { epoch: before ?? '', after: 0, feed: 'registry' }
    await a.revision()
    const text = answerText(await send(pull, { ...request, current: 1 }, STOLEN, to()))
    expect(text).toContain(a.organizationId)
    expect(text).not.toContain(b.organizationId)
    expect(text).not.toContain(b.workload.identityId)
  })

  it('is a secret that is compared: a wrong one opens nothing', async () => {
    const wrong = { 'countersign-credential': `sidecar:${'x'.repeat(CALLER_SECRET.length)}` }
    for (const path of SIDECAR_METHODS) {
      const method = METHODS.find((one) => one.path === path)
      if (!method) throw new Error(`there is no ${path}`)
      expect((await send(method, {}, wrong)).code).toBe(status.UNAUTHENTICATED)
      if (method.service === 'ChangeFeedService') expect((await send(method, {}, wrong, relay)).code).toBe(status.UNAUTHENTICATED)
    }
  })
})
