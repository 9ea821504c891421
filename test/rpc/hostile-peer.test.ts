import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { connect as connectSocket, type Socket } from 'node:net'
import { setLogger } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { monotonicMillis } from '#libs/clock.js'
import { createRpcClient, type RpcClient } from '#libs/rpc/client.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { ServerReflectionRequest } from '#libs/wire/gen/grpc/reflection/v1/reflection.js'
import { allowed, bytesOf, type HeldHandler, holding, outgoing, question, type SmallServer, startServer } from './small-server.js'

// What a peer does that no client library would. After each of these the server must answer somebody else as before.

const REFLECT = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'

let server: SmallServer
let neighbour: RpcClient
/** Holds what asks to write, and answers the rest. */
let held: HeldHandler
let handled = 0
const sockets: { destroy(): unknown }[] = []

async function start(maxMillis: number): Promise<void> {
  held = holding()
  handled = 0
  const handler: HeldHandler['handler'] = (request, call) => {
    handled += 1
    return request.action === 'write' ? held.handler(request, call) : Promise.resolve(allowed)
  }
  server = await startServer(handler, { graceMillis: 50, limits: { maxMillis } })
  neighbour = createRpcClient({ address: server.address })
  await neighbour.waitForReady(10_000)
}

async function stop(): Promise<void> {
  for (const socket of sockets.splice(0)) socket.destroy()
  neighbour.close()
  await server.close()
}

beforeEach(() => start(30_000))
afterEach(() => stop())

async function answersItsNeighbour(times = 20): Promise<void> {
  const began = monotonicMillis()
  for (let call = 0; call < times; call += 1) expect(await neighbour.unary(Check.check, question, outgoing())).toEqual(allowed)
  expect(monotonicMillis() - began).toBeLessThan(3_000)
}

function hostileSession(): ClientHttp2Session {
  const session = connect(`http://${server.address}`)
  session.on('error', () => undefined)
  sockets.push(session)
  return session
}

const framed = (bytes: Uint8Array): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

function request(session: ClientHttp2Session, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': Check.check.path, 'content-type': 'application/grpc', te: 'trailers', ...headers }, {
    endStream: false,
  })
  stream.on('error', () => undefined)
  return stream
}

/** A connection that speaks for itself. */
function rawConnection(): { socket: Socket; ended: Promise<unknown> } {
  const socket = connectSocket(server.port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  return { socket, ended: new Promise((resolve) => socket.on('close', resolve).resume()) }
}

const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, Buffer.alloc(0))])

const reading = framed(bytesOf(question))
const writing = framed(bytesOf({ ...question, action: 'write' }))

describe('a peer that resets its calls', () => {
  it('2 000 times as fast as it can does not keep others waiting', async () => {
    const session = hostileSession()
    await once(session, 'connect')
    for (let count = 0; count < 2_000 && !session.destroyed; count += 1) {
      const stream = request(session)
      stream.end(reading)
      if (count % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
      stream.close(8)
    }
    await answersItsNeighbour()
    expect(handled).toBeGreaterThan(20)
  })

  it('while they are under way frees their places when the handlers end', async () => {
    const session = hostileSession()
    const streams = Array.from({ length: 500 }, () => request(session).end(writing))
    await held.arrived(500)
    for (const stream of streams) stream.close(8)
    await answersItsNeighbour()
    held.answerAll()
    await answersItsNeighbour()
  })
})

describe('a peer that opens more than it may', () => {
  it('1 500 calls on one connection are held to 1 000, and others are answered', async () => {
    const session = hostileSession()
    await once(session, 'remoteSettings')
    for (let count = 0; count < 1_500; count += 1) request(session).end(writing)
    await held.arrived(1_000)
    await answersItsNeighbour()
    expect(handled).toBe(1_000 + 20)
    held.answerAll()
    await held.arrived(1_500)
    held.answerAll()
    await answersItsNeighbour()
  })

  it('more calls than the whole server takes, on many connections, are refused, and others are answered afterwards', async () => {
    for (let connection = 0; connection < 3; connection += 1) {
      const session = hostileSession()
      await once(session, 'remoteSettings')
      for (let count = 0; count < 900; count += 1) request(session).end(writing)
    }
    await held.arrived(2_000)
    await expect(neighbour.unary(Check.check, question, outgoing())).rejects.toMatchObject({ kind: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' })
    held.answerAll()
    await answersItsNeighbour()
  })
})

describe('a peer that never comes to an end', () => {
  it.each([['no deadline', {}], ['a deadline in days', { 'grpc-timeout': '100H' }]])(
    'of a message, with %s, is answered at the cap, and no handler begins',
    async (_what, headers) => {
      await stop()
      await start(500)
      const session = hostileSession()
      const streams = Array.from({ length: 50 }, () => request(session, headers))
      for (const stream of streams) stream.write(reading.subarray(0, 9))
      const answers = streams.map(async (stream) => {
        const [answer] = await once(stream, 'response')
        return answer['grpc-status']
      })
      await answersItsNeighbour()
      expect(await Promise.all(answers)).toEqual(streams.map(() => '14'))
      expect(handled).toBe(20)
    },
  )

  it('of the headers of one call loses its connection', async () => {
    const { socket, ended } = rawConnection()
    socket.write(Buffer.concat([PREFACE, frame(1, 0, 1, Buffer.from([0x82]))]))
    const more = frame(9, 0, 1, Buffer.concat(Array.from({ length: 40 }, (_, index) => literalHeader(`x-${index}`, 'y'.repeat(100)))))
    for (let count = 0; count < 2_000 && !socket.destroyed; count += 1) {
      if (!socket.write(more)) await Promise.race([once(socket, 'drain').catch(() => ended), ended])
    }
    await ended
    await answersItsNeighbour()
  })

  it('of asking what is served, and never reads an answer, is not read from either', async () => {
    const session = hostileSession()
    const stream = request(session, { ':path': REFLECT })
    stream.pause()
    const asked = framed(
      ServerReflectionRequest.encode(
        ServerReflectionRequest.fromPartial({ messageRequest: { $case: 'fileContainingSymbol', value: 'grpc.reflection.v1.ServerReflection' } }),
      ).finish(),
    )
    stream.write(Buffer.concat(Array.from({ length: 20_000 }, () => asked)))
    await answersItsNeighbour(100)
    expect(stream.writableLength).toBeGreaterThan(0)
  })
})

describe('a peer that sends what is no call', () => {
  it.each([
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['noise', Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 256))],
    ['settings without end', Buffer.concat([PREFACE, ...Array.from({ length: 20_000 }, () => frame(4, 0, 0, Buffer.alloc(0)))])],
    [
      'resets of calls that there are not',
      Buffer.concat([PREFACE, ...Array.from({ length: 5_000 }, (_, index) => frame(3, 0, index * 2 + 1, Buffer.alloc(4)))]),
    ],
  ])('loses its connection: %s', async (_what, bytes) => {
    const { socket, ended } = rawConnection()
    socket.write(bytes)
    await ended
    await answersItsNeighbour()
  })

  it.each([
    ['pings', Buffer.concat([PREFACE, ...Array.from({ length: 5_000 }, () => frame(6, 0, 0, Buffer.alloc(8)))])],
    ['nothing', Buffer.alloc(0)],
    ['half of a greeting', PREFACE.subarray(0, 10)],
    ['the head of a frame', Buffer.concat([PREFACE, Buffer.from([0, 0x3f, 0xff, 0, 0, 0, 0, 0, 1])])],
  ])('keeps nobody waiting: %s', async (_what, bytes) => {
    rawConnection().socket.write(bytes)
    await answersItsNeighbour()
  })

  it('but another kind of content is told so, and keeps its connection', async () => {
    const session = hostileSession()
    const [answer] = await once(request(session, { 'content-type': 'application/json' }).end('{}'), 'response')
    expect(answer[':status']).toBe(415)
    const [next] = await once(request(session).end(reading), 'response')
    expect(next[':status']).toBe(200)
  })

  it('but a method whose name is no text is told that it is not there', async () => {
    const session = hostileSession()
    const [answer] = await once(request(session, { ':path': '/caf\u00e9/\u00ff' }).end(reading), 'response')
    expect(answer['grpc-status']).toBe('12')
    await answersItsNeighbour()
  })

  // grpc-js writes a header that it does not like to standard error, with its value. Seen to fail without silent-grpc.ts.
  it('has what it sent as a credential in no log, however wrong it is', async () => {
    const written: string[] = []
    const keep = (message: unknown) => written.push(String(message))
    setLogger({ error: keep, info: keep, debug: keep })
    const session = hostileSession()
    const [answer] = await once(request(session, { authorization: 'Bearer hunter2\u00e9', 'x-hunter2-bin': '=hunter2=' }).end(reading), 'response')
    setLogger(console)
    expect(answer[':status']).toBe(200)
    expect(written.join('\n') + server.logged()).not.toContain('hunter2')
  })
})

/** A frame of HTTP/2. */
function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, payload])
}

/** A header that the table does not keep, uncompressed. */
const literalHeader = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)])
