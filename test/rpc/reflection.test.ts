import { credentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digestOf, internalAdapter, serviceCallers } from '#libs/rpc/service-credential.js'
import { ServerReflectionClient, type ServerReflectionRequest, type ServerReflectionResponse } from '#libs/wire/gen/grpc/reflection/v1/reflection.js'
import { RegistryInternalServiceService, type ResolveGrantsRequest, ResolveGrantsResponse } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { ROOT } from '../house/planted-tree.js'
import { runTool } from '../house/run-tool.js'
import { answering, question, type SmallServer, startServer } from './small-server.js'

const CHECK = 'countersign.authorization.v1.AuthorizationCheckService'
const INTERNAL = 'countersign.registry.v1.RegistryInternalService'
const ALWAYS = ['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection']
const SECRET = 's'.repeat(43)

let publicPort: SmallServer
let internalPort: SmallServer

beforeAll(async () => {
  publicPort = await startServer(answering, { graceMillis: 50 })
  const callers = serviceCallers([{ name: 'check', digests: [digestOf(SECRET)], methods: [`/${INTERNAL}/*`], organizations: ['*'], projects: ['*'] }])
  internalPort = await startServer(answering, {
    graceMillis: 50,
    services: (unary) => {
      const internal = internalAdapter(unary, callers)
      const resolveGrants = internal<ResolveGrantsRequest, ResolveGrantsResponse>(() =>
        Promise.resolve(ResolveGrantsResponse.fromPartial({ identityName: 'billing' }))
      )
      return [[RegistryInternalServiceService, { resolveGrants }]]
    },
  })
  publicPort.rpc.health.setReady(true)
})
afterAll(() => Promise.all([publicPort.close(), internalPort.close()]))

const buf = (...given: string[]) => runTool(ROOT, 'buf', 'curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...given)
const linesOf = ({ output }: { output: string }) => output.trim().split('\n').sort()
const at = ({ port }: SmallServer, path = '') => `http://127.0.0.1:${port}${path}`

/** Asks the reflection service itself. */
function ask(server: SmallServer, ...requests: ServerReflectionRequest['messageRequest'][]): Promise<ServerReflectionResponse['messageResponse'][]> {
  const client = new ServerReflectionClient(server.address, credentials.createInsecure())
  const call = client.serverReflectionInfo()
  const answers: ServerReflectionResponse['messageResponse'][] = []
  return new Promise((resolve, reject) => {
    call.on('data', ({ messageResponse }: ServerReflectionResponse) => answers.push(messageResponse))
    call.on('error', reject)
    call.on('end', () => {
      client.close()
      resolve(answers)
    })
    for (const messageRequest of requests) call.write({ host: '', messageRequest })
    call.end()
  })
}

describe('by reflection alone, without a schema', () => {
  it('a tool lists the services of a listener: its own, health and reflection, and no other', async () => {
    expect(linesOf(await buf('--list-services', at(publicPort)))).toEqual([CHECK, ...ALWAYS])
    expect(linesOf(await buf('--list-services', at(internalPort)))).toEqual([INTERNAL, ...ALWAYS])
  })

  it('a tool lists their methods', async () => {
    const methods = linesOf(await buf('--list-methods', at(publicPort)))
    expect(methods).toEqual(
      expect.arrayContaining([`${CHECK}/Check`, 'grpc.health.v1.Health/Check', 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo']),
    )
    expect(linesOf(await buf('--list-methods', at(internalPort)))).toContain(`${INTERNAL}/ResolveGrants`)
  })

  it('a tool calls a method of the public port', async () => {
    const { code, output } = await buf(
      '--data',
      JSON.stringify({ accessToken: question.accessToken, action: 'read', resource: { type: 'secrets' } }),
      at(publicPort, `/${CHECK}/Check`),
    )
    expect([code, JSON.parse(output)]).toEqual([0, { allowed: true, identityId: 'somebody' }])
  })

  it('a tool calls a method of the internal port, with a service credential and not without', async () => {
    const call = (...more: string[]) => buf('--data', '{}', ...more, at(internalPort, `/${INTERNAL}/ResolveGrants`))
    expect(JSON.parse((await call('--header', `countersign-credential: check:${SECRET}`)).output)).toEqual({ identityName: 'billing' })
    const refused = await call('--header', `countersign-credential: check:${SECRET}x`)
    expect(refused.code).not.toBe(0)
    expect(JSON.parse(refused.output)).toMatchObject({ code: 'unauthenticated' })
  })

  it('a tool asks for health', async () => {
    expect(JSON.parse((await buf('--data', '{"service":"readiness"}', at(publicPort, '/grpc.health.v1.Health/Check'))).output)).toEqual({
      status: 'SERVING',
    })
  })
})

describe('reflection', () => {
  it.each([
    CHECK,
    `${CHECK}.Check`,
    'countersign.authorization.v1.CheckRequest',
    'countersign.authorization.v1.CheckRequest.access_token',
    'countersign.authorization.v1.Resource.AttributesEntry',
    'countersign.authorization.v1.DecisionReason',
    'grpc.health.v1.Health',
    'google.protobuf.Timestamp',
    'google.rpc.ErrorInfo',
  ])(
    'gives the file of %s, with all that it imports',
    async (value) => {
      expect(await ask(publicPort, { $case: 'fileContainingSymbol', value })).toMatchObject([{ $case: 'fileDescriptorResponse' }])
    },
  )

  // Seen to fail with every file of the product given on every port.
  it.each(
    [
      { $case: 'fileContainingSymbol', value: INTERNAL },
      { $case: 'fileContainingSymbol', value: 'countersign.registry.v1.ResolveGrantsRequest' },
      { $case: 'fileByFilename', value: 'countersign/registry/v1/internal.proto' },
      { $case: 'fileContainingSymbol', value: 'countersign.exchange.v1.AuthExchangeService' },
      { $case: 'fileContainingSymbol', value: 'no.such.Symbol' },
      { $case: 'fileContainingSymbol', value: '' },
      { $case: 'fileByFilename', value: '../../etc/passwd' },
      { $case: 'allExtensionNumbersOfType', value: 'google.rpc.ErrorInfo' },
      undefined,
    ] as const,
  )('of a public port tells nothing of what is not served there: %j', async (asked) => {
    expect(await ask(publicPort, asked)).toMatchObject([{ $case: 'errorResponse', value: { errorCode: 5 } }])
  })

  it('of an internal port shows the internal service', async () => {
    expect(await ask(internalPort, { $case: 'fileContainingSymbol', value: INTERNAL })).toMatchObject([{ $case: 'fileDescriptorResponse' }])
  })

  it('answers many questions of one stream, each and in order', async () => {
    const questions = Array.from(
      { length: 500 },
      (_, index) => ({ $case: 'fileContainingSymbol' as const, value: index % 2 === 0 ? CHECK : `unknown${index}` }),
    )
    const answers = await ask(publicPort, ...questions)
    expect(answers.map((answer) => answer?.$case)).toEqual(
      questions.map(({ value }) => (value === CHECK ? 'fileDescriptorResponse' : 'errorResponse')),
    )
  })
})
