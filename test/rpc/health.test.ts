import { type ClientReadableStream, credentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRpcClient, type RpcClient } from '#libs/rpc/client.js'
import {
  HealthCheckResponse_ServingStatus as Status,
  type HealthCheckResponse,
  HealthClient,
  HealthService,
} from '#libs/wire/gen/health/v1/health.js'
import { answering, outgoing, type SmallServer, startServer } from './small-server.js'

const NAMES = ['', 'readiness', 'countersign.authorization.v1.AuthorizationCheckService'] as const

let server: SmallServer
let client: RpcClient
let watcher: HealthClient

beforeEach(async () => {
  server = await startServer(answering, { graceMillis: 100 })
  client = createRpcClient({ address: server.address })
  watcher = new HealthClient(server.address, credentials.createInsecure())
})
afterEach(async () => {
  client.close()
  watcher.close()
  await server.close()
})

const statusOf = async (service: string) => (await client.unary(HealthService.check, { service }, outgoing())).status
const allStatuses = () => Promise.all(NAMES.map(statusOf))
const all = (status: Status) => NAMES.map(() => status)

/** What a watch says, one after the other. */
function watch(service: string): { next(): Promise<Status>; end(): void } {
  const stream: ClientReadableStream<HealthCheckResponse> = watcher.watch({ service })
  const ended: unknown[] = []
  stream.on('error', (error) => ended.push(error))
  const said = stream.map(({ status }: HealthCheckResponse) => status)[Symbol.asyncIterator]()
  return {
    next: async () => {
      const { value, done } = await said.next()
      if (done) throw new Error('the watch ended')
      return value
    },
    end: () => stream.cancel(),
  }
}

describe('health', () => {
  it('of a server that is not ready yet is NOT_SERVING by every name, and it lives', async () => {
    expect(await allStatuses()).toEqual(all(Status.NOT_SERVING))
    expect(await statusOf('liveness')).toBe(Status.SERVING)
  })

  it('follows what is ready, by every name, and liveness does not', async () => {
    for (const ready of [true, false, true]) {
      server.rpc.health.setReady(ready)
      expect(await allStatuses()).toEqual(all(ready ? Status.SERVING : Status.NOT_SERVING))
      expect(await statusOf('liveness')).toBe(Status.SERVING)
    }
  })

  it.each(['unknown', 'countersign.registry.v1.IdentityRegistryService', 'Readiness', ' ', '__proto__'])(
    'of what is not served here is NOT_FOUND: %j',
    async (service) => {
      await expect(statusOf(service)).rejects.toMatchObject({ kind: 'NOT_FOUND' })
    },
  )

  // A dependency that comes back late must not bring callers back to a server that leaves.
  it('of a server that drains stays NOT_SERVING, whatever becomes ready, and it lives', async () => {
    server.rpc.health.setReady(true)
    server.rpc.health.drain()
    expect(await allStatuses()).toEqual(all(Status.NOT_SERVING))
    server.rpc.health.setReady(true)
    expect(await allStatuses()).toEqual(all(Status.NOT_SERVING))
    expect(await statusOf('liveness')).toBe(Status.SERVING)
  })

  it('leaves no line in the log', async () => {
    await allStatuses()
    expect(server.lines()).toEqual([])
  })
})

describe('a watch', () => {
  it.each(NAMES)('of %j is told what is so, and each change', async (service) => {
    const watching = watch(service)
    expect(await watching.next()).toBe(Status.NOT_SERVING)
    server.rpc.health.setReady(true)
    expect(await watching.next()).toBe(Status.SERVING)
    server.rpc.health.setReady(false)
    expect(await watching.next()).toBe(Status.NOT_SERVING)
    watching.end()
  })

  it('sees a server leave when it begins to close, and the server closes nevertheless', async () => {
    const watching = watch('')
    expect(await watching.next()).toBe(Status.NOT_SERVING)
    server.rpc.health.setReady(true)
    expect(await watching.next()).toBe(Status.SERVING)
    const closing = server.close()
    expect(await watching.next()).toBe(Status.NOT_SERVING)
    await closing
    await expect(watching.next()).rejects.toThrow()
  })

  it('of what is not served here is told SERVICE_UNKNOWN', async () => {
    const watching = watch('unknown')
    expect(await watching.next()).toBe(Status.SERVICE_UNKNOWN)
    watching.end()
  })
})
