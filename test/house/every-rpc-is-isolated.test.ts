import { randomBytes } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secretIdOf, secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { bearer } from '../support/calls.js'
import { CALLER_SECRET, checkOnNetwork, internalsFor } from '../support/confined-services.js'
import { realKeyOf, unknownTokens } from '../support/forged-tokens.js'
import { anyId, counterparts, leaks, namingFields, neighbour, nowhere, type Nowhere, type Probe, probed, probesOf } from '../support/isolation.js'
import { textAt, type Told, told } from '../support/isolation.js'
import { addressesByService, type CallsByService, callsByService, type Headers, type Outcome, reasonOf } from '../support/raw-calls.js'
import { rowsOf, tablesOf } from '../support/rows.js'
import { startSystem, type System } from '../support/system.js'
import { makeTenant, type Tenant } from '../support/tenant.js'
import type { Builder } from '../support/valid-internal-requests.js'
import { VALID_REQUESTS } from '../support/valid-requests.js'
import { encode, fieldPathOf, isInternal, leavesOf, type Method, methodNamed, METHODS, type WireMessage } from '../support/wire.js'

// Whatever organization A asks of organization B is answered as if B did not exist, method by method, field by field.
// Seen to fail without the organization in the statement of getProject, and without the organization in Check's answer to
// a caller on a network.

/** Where being told apart is the point. */
const EXEMPT = new Map([
  ['AuthExchangeService.Login: all of it', 'client id and client secret together are the proof'],
  ['AuthExchangeService.RenewAccessToken: access_token', 'whoever holds a token may renew it: holding it is all the authorization there is'],
  ['AuthExchangeService.RevokeAccessToken: access_token', 'whoever holds a token may revoke it: holding it is all the authorization there is'],
  ['ExchangeInternalService.Bootstrap: client_id', 'a login starts from it alone, so it is unique in an installation, and the operator chooses it'],
])

/** What is of no organization is for nobody who is confined to one. */
const OF_INSTALLATION = new Set(['ListSigningKeys', 'RotateSigningKey', 'RevokeSigningKey'].map((name) => `ExchangeInternalService.${name}`))

let system: System
let a: Tenant
let b: Tenant
let shaped: Nowhere
let marksOfB: string[]
let rowsOfB: Record<string, string[]>
let calls: CallsByService
/** What B itself sends, by method: all of it is about things that exist. */
const requestsOfB = new Map<string, WireMessage[]>()
const closing: (() => Promise<void> | void)[] = []

const buildersOf = ({ name }: Method): readonly Builder[] => VALID_REQUESTS.get(name) ?? []
const ofB = ({ name }: Method): WireMessage[] => requestsOfB.get(name) ?? []
const send = async (method: Method, request: WireMessage, headers: Headers): Promise<Outcome> => {
  const bytes = encode(method.desc.input, request)
  return calls.of(method.service).call(method.path, bytes, { 'x-request-id': 'asked', ...headers })
}
const credentialOf = (caller: string) => ({ 'countersign-credential': `${caller}:${CALLER_SECRET}` })
const headersOf = (method: Method, of: Tenant): Headers => {
  if (isInternal(method)) return credentialOf(of === a ? 'only-a' : 'everywhere')
  return bearer(of.admin.token)
}

/** Asks as A about other things, each time in a request that is otherwise as A may send it. */
function asker(method: Method, builder: Builder): (probe: Probe) => Promise<Told> {
  let request: WireMessage | undefined
  return async (probe) => {
    request ??= await builder(a)
    const outcome = await send(method, probed(request, probe), headersOf(method, a))
    // What was done can't be done again; what was refused left everything as it was.
    if (outcome.code === status.OK) request = undefined
    return told(method, outcome, probe)
  }
}

async function leaksOf(method: Method): Promise<string[]> {
  const found: string[] = []
  for (const [variant, builder] of buildersOf(method).entries()) {
    const ask = asker(method, builder)
    for (const probe of probesOf(method, ofB(method)[variant] ?? {}).filter(({ name }) => !EXEMPT.has(`${method.name}: ${name}`))) {
      const aboutB = await ask(probe)
      const aboutNothing = []
      for (const counterpart of counterparts(probe, shaped)) aboutNothing.push(await ask(counterpart))
      found.push(...leaks(aboutB, aboutNothing, marksOfB).map((leak) => `${probe.name} of request ${variant}: ${leak}`))
    }
  }
  return found
}

const closed = <T extends { close(): Promise<void> | void }>(one: T): T => {
  closing.unshift(() => one.close())
  return one
}

beforeAll(async () => {
  system = closed(await startSystem())
  a = await makeTenant(system, 'of-a', system.admin)
  b = await makeTenant(system, 'of-b', await system.newOrganization())
  const network = closed(await checkOnNetwork(system))
  const internals = closed(await internalsFor(system, [
    { name: 'only-a', organizations: [a.organizationId] },
    { name: 'only-a-project', organizations: [a.organizationId], projects: [a.earlier.projectId] },
    { name: 'everywhere', organizations: ['*'] },
  ]))
  calls = closed(callsByService({
    ...addressesByService(system),
    AuthorizationCheckService: network.address,
    RegistryInternalService: internals.registry,
    ExchangeInternalService: internals.exchange,
    ChangeFeedService: internals.registry,
  }))
  const real = await realKeyOf(system)
  shaped = (path, thing) => {
    if (path.at(-1) === 'access_token') return unknownTokens(real, thing, anyId())
    return path.at(-1) === 'client_secret' ? [secretText(neighbour(secretIdOf(thing) ?? ''), randomBytes(32))] : nowhere(path, thing)
  }
  for (const method of METHODS) {
    for (const builder of buildersOf(method)) {
      const request = await builder(b)
      requestsOfB.set(method.name, [...ofB(method), request])
      // What would end a thing of B is not sent: it has to be there when A asks for it.
      if (/\.(Delete|Revoke)/.test(method.name)) continue
      const { code, details } = await send(method, request, headersOf(method, b))
      if (code !== status.OK) throw new Error(`${method.name} of B: ${details}`)
    }
  }
  rowsOfB = await rowsOf(system.databases.superuserUrl, b.organizationId)
  const stored = Object.entries(rowsOfB).filter(([table]) => !/signing_key|migration/.test(table)).flatMap(([, rows]) => rows).join()
  const builtIn = /^00000000-0000-7000-8000/
  const { projectName, organizationRole, projectRole, workload } = b
  const idsOfB = stored.match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g)?.filter((id) => !builtIn.test(id))
  marksOfB = [projectName, organizationRole.name, projectRole.name, workload.name, workload.principal, ...new Set(idsOfB)]
})
afterAll(async () => {
  for (const close of closing) await close()
})

const EVERY = METHODS.map((method) => [method.name, method] as const)

describe('the matrix', () => {
  it.each(EVERY)('has requests of %s for every field that names something', async (_name, method) => {
    const filled = await Promise.all(buildersOf(method).map(async (builder) => leavesOf(method.desc.input, await builder(a))))
    expect(filled, 'test/support/valid-requests.ts has no request of this method').not.toHaveLength(0)
    const paths = filled.flat().map(({ path }) => fieldPathOf(path))
    expect(namingFields(method).filter((field) => !paths.includes(field))).toEqual([])
  })

  it('has requests and exemptions of nothing else', () => {
    expect([...VALID_REQUESTS.keys()].filter((name) => !METHODS.some((method) => method.name === name))).toEqual([])
    const namesOf = (method: Method) => ofB(method).flatMap((request) => probesOf(method, request)).map(({ name }) => `${method.name}: ${name}`)
    const probes = METHODS.flatMap(namesOf)
    expect([...EXEMPT.keys()].filter((name) => !probes.includes(name))).toEqual([])
  })

  it('knows what is of B', () => {
    expect(marksOfB).toEqual(expect.arrayContaining([b.organizationId, b.projectId, b.workload.identityId, b.workload.secretId, b.workload.tokenId]))
    expect(marksOfB.filter((mark) => [a.organizationId, a.projectId, a.admin.tokenId].includes(mark))).toEqual([])
  })
})

describe.each(EVERY)('%s', (_name, method) => {
  it('tells A nothing of B', async () => {
    expect(await leaksOf(method)).toEqual([])
  })

  it('answers A about what is its own', async () => {
    for (const builder of buildersOf(method)) {
      const outcome = await send(method, await builder(a), headersOf(method, a))
      expect(outcome).toMatchObject({ code: OF_INSTALLATION.has(method.name) ? status.PERMISSION_DENIED : status.OK })
      expect(leaks(told(method, outcome, { name: 'its own', things: [] }), [], marksOfB)).toEqual([])
    }
  })
})

describe('where the matrix says nothing', () => {
  it('the public keys are the same for A, for B and for nobody', async () => {
    const method = methodNamed('AuthExchangeService.GetJsonWebKeySet')
    const answers = await Promise.all([bearer(a.admin.token), bearer(b.admin.token), {}].map((headers) => send(method, {}, headers)))
    for (const answer of answers) expect(answer).toMatchObject({ code: status.OK, answer: answers[0]?.answer })
  })

  it('a client id of B that a service confined to A asks for is taken, and that is all it hears', async () => {
    const method = methodNamed('ExchangeInternalService.Bootstrap')
    const [builder] = buildersOf(method)
    const request = { ...(await builder?.(a)), client_id: b.workload.clientId }
    const outcome = await send(method, request, credentialOf('only-a'))
    expect([outcome.code, reasonOf(outcome)]).toEqual([status.ALREADY_EXISTS, 'BOOTSTRAP_CONFLICT'])
    expect(leaks(told(method, outcome, { name: 'taken', things: [] }), [], marksOfB)).toEqual([])
  })

  it('a service confined to A may not make or complete another organization, whether it is there or not', async () => {
    for (const method of METHODS.filter(({ desc }) => desc.name === 'Bootstrap')) {
      const [builder] = buildersOf(method)
      for (const organization of [b.organizationId, anyId()]) {
        const outcome = await send(method, { ...(await builder?.(a)), organization_id: organization }, credentialOf('only-a'))
        expect([outcome.code, reasonOf(outcome)]).toEqual([status.PERMISSION_DENIED, 'SERVICE_NOT_ALLOWED'])
      }
    }
  })

  it('a revision of B is a number to A, like one of its own', async () => {
    const question = { access_token: a.workload.token, action: 'read', resource: { type: 'secrets' } }
    const answer = async (name: string, request: WireMessage) => {
      const outcome = await send(methodNamed(`AuthorizationCheckService.${name}`), request, bearer(a.admin.token))
      return told(methodNamed(`AuthorizationCheckService.${name}`), outcome, { name: 'a revision', things: [] })
    }
    const [earlier = {}] = ofB(methodNamed('AuthorizationCheckService.WaitForRevision'))
    const [own, theirs] = [await a.revision(), textAt(earlier, ['revision'])]
    const check = (revision: string) => answer('Check', { ...question, consistency: { at_least: revision } })
    const wait = (revision: string) => answer('WaitForRevision', { revision })
    expect(leaks(await check(theirs), [await check(own)], marksOfB)).toEqual([])
    expect(leaks(await wait(theirs), [await wait(own)], marksOfB)).toEqual([])
  })

  it('a service confined to one project of A learns nothing of another', async () => {
    const method = methodNamed('RegistryInternalService.ResolveGrants')
    const about = { organization_id: a.organizationId, identity_id: a.workload.identityId }
    const grants = async (projectId: string) => {
      const asked = { name: 'a project', things: [[['project_id'], projectId]] } as const
      return told(method, await send(method, { ...about, project_id: projectId }, credentialOf('only-a-project')), asked)
    }
    expect(leaks(await grants(a.projectId), [await grants(neighbour(a.projectId))], [a.projectRole.name, a.projectRole.id])).toEqual([])
  })
})

describe('in the end', () => {
  it('nothing of B has changed, its audit included', async () => {
    expect(await rowsOf(system.databases.superuserUrl, b.organizationId)).toEqual(rowsOfB)
  })

  it('every row is found by its organization first, but for what belongs to none', async () => {
    const elsewhere = (await tablesOf(system.databases.superuserUrl)).filter(({ key }) => key[0] !== 'organization_id').map(({ name }) => name)
    const ours = elsewhere.filter((name) => !/\.migration(_lock)?$/.test(name))
    const feeds = ['exchange', 'registry'].flatMap((schema) => ['change', 'head', 'setting'].map((table) => `${schema}.feed_${table}`))
    expect(ours).toEqual([...feeds, 'exchange.client_locator', 'exchange.signing_key', 'registry.organization'].sort())
  })
})
