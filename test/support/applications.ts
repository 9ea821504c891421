import { createServer as createHttp, type IncomingMessage } from 'node:http'
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js'

// What stands behind a proxy in the tests: it answers everything, and remembers what reached it, exactly as it came.

/** A request as the application saw it. */
export type Seen = {
  readonly method: string
  /** Path and query as they were sent. */
  readonly target: string
  /** Each header as it was sent, in order, with the name in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export type Application = {
  readonly address: string
  /** All requests so far, oldest first; those of a proxy that asks after its health are not among them. */
  readonly seen: Seen[]
  close(): Promise<void>
}

/** Every value that a request had of a header. */
export const valuesOf = ({ headers }: Seen, name: string): string[] => headers.filter(([one]) => one === name).map(([, value]) => value)

export async function startApplication(): Promise<Application> {
  const seen: Seen[] = []
  const server = createHttp((request, response) => {
    if (request.headers['user-agent'] !== 'Envoy/HC') seen.push(seenOf(request))
    response.setHeader('content-type', 'text/plain')
    request.resume().on('end', () => response.end('from the application'))
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it has no port')
  const close = () => new Promise<void>((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })
  return { address: `127.0.0.1:${address.port}`, seen, close }
}

function seenOf({ method = '', url = '', rawHeaders }: IncomingMessage): Seen {
  const headers: [string, string][] = []
  for (let at = 0; at < rawHeaders.length; at += 2) headers.push([(rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? ''])
  return { method, target: url, headers }
}

const same = (bytes: Buffer) => bytes
const bytes = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same } as const

const methodOf = (name: string) => ({ path: `/shop.Orders/${name}`, requestStream: false, responseStream: false, ...bytes }) as const

/** A service with two methods whose messages are bytes. */
export const ORDERS = { placeOrder: methodOf('PlaceOrder'), cancelOrder: methodOf('CancelOrder') } satisfies ServiceDefinition

export async function startGrpcApplication(): Promise<Application> {
  const seen: Seen[] = []
  const server = new Server()
  const answer = (path: string) => (call: { metadata: { getMap(): Record<string, unknown> } }, callback: (error: null, answer: Buffer) => void) => {
    seen.push({ method: 'POST', target: path, headers: Object.entries(call.metadata.getMap()).map(([name, value]) => [name, String(value)]) })
    callback(null, Buffer.from('from the application'))
  }
  server.addService(ORDERS, { placeOrder: answer(ORDERS.placeOrder.path), cancelOrder: answer(ORDERS.cancelOrder.path) })
  const port = await new Promise<number>((done, fail) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? done(bound) : fail(error)))
  })
  return { address: `127.0.0.1:${port}`, seen, close: async () => server.forceShutdown() }
}
