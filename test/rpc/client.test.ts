import { createServer } from 'node:net'
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { type ClientOptions, createRpcClient, type RpcClient } from '#libs/rpc/client.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { allowed, answering, type Handler, outgoing, question, type SmallServer, startServer } from './small-server.js'

const SERVICE = 'countersign.authorization.v1.AuthorizationCheckService'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function serve(handler: Handler, port = 0): Promise<SmallServer> {
  const server = await startServer(handler, { graceMillis: 50, address: { host: '127.0.0.1', port } })
  opened.push(server)
  return server
}

function clientOf(options: ClientOptions): RpcClient {
  const client = createRpcClient(options)
  opened.push(client)
  return client
}

const check = (client: RpcClient, deadlineMillis?: number) => client.unary(Check.check, question, outgoing(deadlineMillis))

describe('a server that is not there', () => {
  it('is UNAVAILABLE, well before the deadline and without its address', async () => {
    const server = await serve(answering)
    await server.close()
    const failure = await check(clientOf({ address: server.address }), 60_000).catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'UNAVAILABLE', reason: 'PEER_UNAVAILABLE', message: 'A service could not be reached in time.' })
  })

  it('is used again as soon as it is back at its port', async () => {
    const first = await serve(answering)
    const client = clientOf({ address: first.address })
    await check(client)
    await first.close()
    await expect(check(client)).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
    await serve(answering, first.port)
    await client.waitForReady(10_000)
    expect(await check(client)).toEqual(allowed)
  })

  it('is waited for no longer than was said', async () => {
    const server = await serve(answering)
    await server.close()
    await expect(clientOf({ address: server.address }).waitForReady(50)).rejects.toThrow()
  })

  it('is found once it is there, however early the client was', async () => {
    const before = await serve(answering)
    await before.close()
    const client = clientOf({ address: before.address })
    const ready = client.waitForReady(10_000)
    await serve(answering, before.port)
    await ready
    expect(await check(client)).toEqual(allowed)
  })

  it('and one that takes connections and says nothing is UNAVAILABLE by the deadline', async () => {
    const mute = createServer(() => undefined)
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    opened.push({ close: () => mute.close() })
    const address = mute.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await expect(check(clientOf({ address: `127.0.0.1:${port}` }), 300)).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
  })
})

describe('a call that ends UNAVAILABLE', () => {
  /** A server that says so for the first calls, and counts. */
  async function failing(times: number, refusal = new DomainError('UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'Not now.')) {
    let attempts = 0
    const server = await serve(() => {
      attempts += 1
      return attempts <= times ? Promise.reject(refusal) : Promise.resolve(allowed)
    })
    return { address: server.address, attempts: () => attempts }
  }

  it('is repeated where all of the service may be repeated, so that the caller never hears of it', async () => {
    const { address, attempts } = await failing(2)
    expect(await check(clientOf({ address, idempotentServices: [SERVICE] }))).toEqual(allowed)
    expect(attempts()).toBe(3)
  })

  it('is tried three times in all, and then is what the server said', async () => {
    const { address, attempts } = await failing(Infinity)
    await expect(check(clientOf({ address, idempotentServices: [SERVICE] }))).rejects.toMatchObject({
      kind: 'UNAVAILABLE',
      reason: 'DATABASE_UNAVAILABLE',
    })
    expect(attempts()).toBe(3)
  })

  // A login or a counted use that is repeated is made twice.
  it.each([
    ['no service may be repeated', []],
    ['another service may', ['countersign.exchange.v1.AuthExchangeService', 'countersign.authorization.v1']],
  ])(
    'is tried once where %s',
    async (_what, idempotentServices) => {
      const { address, attempts } = await failing(Infinity)
      await expect(check(clientOf({ address, idempotentServices }))).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
      expect(attempts()).toBe(1)
    },
  )

  it('is repeated inside the deadline only', async () => {
    const { address, attempts } = await failing(
      Infinity,
      new DomainError('UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'Not now.', { retryAfterMillis: 60_000 }),
    )
    await expect(check(clientOf({ address, idempotentServices: [SERVICE] }), 300)).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
    expect(attempts()).toBe(1)
  })

  it.each(['INTERNAL', 'RESOURCE_EXHAUSTED', 'ABORTED', 'NOT_FOUND'] as const)('is repeated for no other answer: %s is tried once', async (kind) => {
    const { address, attempts } = await failing(Infinity, new DomainError(kind, 'SOME_REASON', 'No.'))
    await expect(check(clientOf({ address, idempotentServices: [SERVICE] }))).rejects.toMatchObject({ kind, reason: 'SOME_REASON' })
    expect(attempts()).toBe(1)
  })
})

describe('what a client is told', () => {
  it('is the refusal as it was thrown, with fields, metadata and the time to wait', async () => {
    const thrown = new DomainError('ABORTED', 'CONTENTION', 'Caf\u00e9 is busy.', {
      metadata: { name: 'caf\u00e9' },
      violations: [{ field: 'name', description: 'is busy' }],
      retryAfterMillis: 1_500,
    })
    const { address } = await serve(() => Promise.reject(thrown))
    const { kind, reason, message, metadata, violations, retryAfterMillis } = thrown
    await expect(check(clientOf({ address }))).rejects.toMatchObject({ kind, reason, message, metadata, violations, retryAfterMillis })
  })

  it('and its own headers go with every call', async () => {
    const seen: unknown[] = []
    const { address } = await serve((_request, { metadata }) => {
      seen.push([metadata.get('authorization'), metadata.get('countersign-credential')])
      return Promise.resolve(allowed)
    })
    const client = clientOf({ address, headers: { authorization: 'Bearer x' }, serviceCredential: 'a:b' })
    await check(client)
    await check(client)
    expect(seen).toEqual([[['Bearer x'], ['a:b']], [['Bearer x'], ['a:b']]])
  })

  it('at an address that is asked for once, at the first call', async () => {
    const server = await serve(answering)
    let asked = 0
    const client = clientOf({
      address: () => {
        asked += 1
        return server.address
      },
    })
    expect(asked).toBe(0)
    await check(client)
    await check(client)
    expect(asked).toBe(1)
  })

  // Seen to end the process: what is thrown in a callback of the channel has nobody to catch it.
  it.each([
    ['details that are none', { 'grpc-status-details-bin': Buffer.from([0xff, 0xff, 0xff]) }, status.NOT_FOUND, 'NOT_FOUND'],
    ['details of nothing', { 'grpc-status-details-bin': Buffer.alloc(0) }, status.NOT_FOUND, 'NOT_FOUND'],
    ['no details', {}, status.DATA_LOSS, 'INTERNAL'],
  ])('by a server that is not ours is a failure and no more: %s', async (_what, trailers, code, kind) => {
    const foreign = new Server()
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(trailers)) metadata.set(name, value)
    foreign.addService(Check, {
      check: (_call: unknown, callback: (answer: object) => void) => callback({ code, details: 'told by a stranger', metadata }),
    })
    const port = await new Promise<number>((resolve, reject) => {
      foreign.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)))
    })
    opened.push({ close: () => foreign.forceShutdown() })
    await expect(check(clientOf({ address: `127.0.0.1:${port}` }))).rejects.toMatchObject({ kind, reason: 'PEER_REFUSED' })
  })
})
