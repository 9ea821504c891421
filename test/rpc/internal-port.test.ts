import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CREDENTIAL_HEADER, digestOf, internalAdapter, serviceCallers } from '#libs/rpc/service-credential.js'
import {
  RegistryInternalServiceService as Internal,
  ResolveGrantsRequest,
  ResolveGrantsResponse,
} from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { reasonOf, type RawCalls, rawCallsTo } from '../support/raw-calls.js'
import { answering, type SmallServer, startServer } from './small-server.js'

const [CURRENT, NEXT, OLD] = ['c'.repeat(43), 'n'.repeat(43), 'o'.repeat(43)]
const service = '/countersign.registry.v1.RegistryInternalService/*'
const everywhere = { organizations: ['*'], projects: ['*'] }

let server: SmallServer
let calls: RawCalls
const reached: string[] = []

beforeAll(async () => {
  const callers = serviceCallers([
    { name: 'authorization-check', digests: [digestOf(CURRENT), digestOf(NEXT)], methods: [service], ...everywhere },
    { name: 'sidecar', digests: [digestOf(OLD)], methods: [Internal.resolveGrants.path], organizations: ['o1'], projects: ['p1'] },
    { name: 'backup', digests: [digestOf(CURRENT)], methods: ['/countersign.registry.v1.RegistryInternalService/PullChanges'], ...everywhere },
  ])
  server = await startServer(answering, {
    graceMillis: 50,
    services: (unary) => {
      const resolveGrants = internalAdapter(unary, callers)<ResolveGrantsRequest, ResolveGrantsResponse>((_request, _call, caller) => {
        reached.push(
          `${caller.name} ${
            [['o1', 'p1'], ['o1', 'p2'], ['o2', 'p1']].map(([organization, project]) => caller.mayAskAbout(organization ?? '', project)).join()
          }`,
        )
        return Promise.resolve(ResolveGrantsResponse.fromPartial({}))
      })
      return [[Internal, { resolveGrants }]]
    },
  })
  calls = rawCallsTo(server.address)
})
afterAll(async () => {
  calls.close()
  await server.close()
})
beforeEach(() => void reached.splice(0))

const call = (...shown: string[]) =>
  calls.call(Internal.resolveGrants.path, ResolveGrantsRequest.encode(ResolveGrantsRequest.fromPartial({})).finish(), { [CREDENTIAL_HEADER]: shown })

describe('a port for services', () => {
  it.each([
    ['current', `authorization-check:${CURRENT}`, 'authorization-check true,true,true'],
    ['next', `authorization-check:${NEXT}`, 'authorization-check true,true,true'],
    ['only', `sidecar:${OLD}`, 'sidecar true,false,false'],
  ])('lets a service in by its %s secret, and the handler knows which it is and whom it may ask about', async (_which, shown, expected) => {
    expect((await call(shown)).code).toBe(0)
    expect(reached).toEqual([expected])
  })

  it.each([
    ['nothing', []],
    ['a secret of before', [`authorization-check:${OLD}`]],
    ['the secret of another', [`sidecar:${CURRENT}`]],
    ['an unknown name', [`nobody:${CURRENT}`]],
    ['two credentials, both good', [`authorization-check:${CURRENT}`, `sidecar:${OLD}`]],
    ['the same credential twice', [`authorization-check:${CURRENT}`, `authorization-check:${CURRENT}`]],
  ])('keeps out whoever shows %s, with one answer, and no handler begins', async (_what, shown) => {
    const outcome = await call(...shown)
    expect([outcome.code, outcome.details, reasonOf(outcome)]).toEqual([
      16,
      'This port is for services: the service credential is missing or wrong.',
      'SERVICE_CREDENTIAL_REJECTED',
    ])
    expect(reached).toEqual([])
  })

  it('keeps out a service that may call other methods only', async () => {
    const outcome = await call(`backup:${CURRENT}`)
    expect([outcome.code, reasonOf(outcome)]).toEqual([7, 'SERVICE_NOT_ALLOWED'])
    expect(reached).toEqual([])
  })

  it('writes no credential to its log', () => {
    expect(server.lines().length).toBeGreaterThan(5)
    for (const secret of [CURRENT, NEXT, OLD]) expect(server.logged()).not.toContain(secret)
  })
})
