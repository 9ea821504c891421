import { once } from 'node:events'
import { connect } from 'node:http2'
import { gzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { reasonOf, refusedFields } from '../support/raw-calls.js'
import {
  allowed,
  answering,
  bareClient,
  type BareCall,
  type BareClient,
  bytesOf,
  type Handler,
  holding,
  type Options,
  outgoing,
  question,
  type SmallServer,
  startServer,
} from './small-server.js'

const { OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED } = status

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function serve(handler: Handler = answering, options?: Options): Promise<{ server: SmallServer; client: BareClient }> {
  const server = await startServer(handler, { graceMillis: 50, ...options })
  const client = bareClient(server.address)
  opened.push(server, client)
  return { server, client }
}

async function outcomeOf(client: BareClient, given: BareCall = {}) {
  const { code, details, metadata } = await client.call({ deadlineMillis: 20_000, ...given })
  const outcome = { code, details, headers: metadata, trailers: metadata, answer: undefined }
  return { code, reason: reasonOf(outcome), fields: refusedFields(outcome) }
}

describe('calls under way', () => {
  it('are no more than the limit: the next is refused at once, and told when to come again', async () => {
    const { handler, arrived, answerAll } = holding()
    const { server, client } = await serve(handler, { limits: { maxInFlight: 2 } })
    const held = [client.call(), client.call()]
    await arrived(2)

    const ours = createRpcClient({ address: server.address })
    opened.push(ours)
    const third = ours.unary(Check.check, question, outgoing())
    await expect(third).rejects.toMatchObject({ kind: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED', retryAfterMillis: 100 })

    answerAll()
    expect((await Promise.all(held)).map(({ code }) => code)).toEqual([OK, OK])
  })

  it('of a burst are answered up to the limit, and every other is refused', async () => {
    const { handler, arrived, answerAll } = holding()
    const { client } = await serve(handler, { limits: { maxInFlight: 5 } })
    let refused = 0
    const burst = Promise.all(
      Array.from({ length: 50 }, async () => {
        const { code } = await outcomeOf(client)
        if (code === RESOURCE_EXHAUSTED) refused += 1
        if (refused === 45) answerAll()
        return code
      }),
    )
    await arrived(5)
    expect((await burst).filter((code) => code === OK)).toHaveLength(5)
    expect(refused).toBe(45)
  })

  it.each<[string, (client: BareClient) => Promise<unknown>, Handler]>([
    ['answered', (client) => client.call(), answering],
    ['refused', (client) => client.call(), () => Promise.reject(new DomainError('NOT_FOUND', 'NO', 'No.'))],
    ['ended by an error', (client) => client.call(), () => Promise.reject(new Error('no'))],
    ['out of time', (client) => client.call({ deadlineMillis: 150 }), () => new Promise(() => undefined)],
    ['undecodable', (client) => client.call({ bytes: Buffer.from([0xff]) }), answering],
    ['refused for its metadata', (client) => client.call({ headers: { a: 'x'.repeat(20_000) } }), answering],
  ])('count no more once they are %s', async (_what, callOnce, first) => {
    const handlers: Handler[] = [first, first, first]
    const { client } = await serve((request, call) => (handlers.shift() ?? answering)(request, call), { limits: { maxInFlight: 1 } })
    for (let repeat = 0; repeat < 3; repeat += 1) await callOnce(client)
    handlers.length = 0
    expect(await outcomeOf(client)).toMatchObject({ code: OK })
  })

  it('count until their handler ends, though the caller went away', async () => {
    const { handler, arrived, answerAll } = holding()
    const { client } = await serve(handler, { limits: { maxInFlight: 1 } })
    const gone = client.cancellable()
    await arrived(1)
    gone.cancel()
    await gone.status
    expect(await outcomeOf(client)).toMatchObject({ code: RESOURCE_EXHAUSTED, reason: 'OVERLOADED' })
    answerAll()
    const next = outcomeOf(client)
    await arrived(2)
    answerAll()
    expect(await next).toMatchObject({ code: OK })
  })
})

describe('the metadata of a call', () => {
  const tooMuch = { code: INVALID_ARGUMENT, reason: 'INVALID_REQUEST', fields: ['metadata'] }

  it.each([
    ['that fits is taken', { a: 'x'.repeat(1_500) }, { code: OK }],
    ['counts its values', { a: 'x'.repeat(2_001) }, tooMuch],
    ['counts its names', { ['n'.repeat(2_001)]: 'x' }, tooMuch],
    ['counts all of it together', Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`name-${index}`, 'x'.repeat(65)])), tooMuch],
    ['counts bytes that are no text', { 'a-bin': Buffer.alloc(2_001) }, tooMuch],
  ])('%s', async (_what, headers, expected) => {
    const { client } = await serve(answering, { limits: { maxMetadataBytes: 2_000 } })
    expect(await outcomeOf(client, { headers })).toMatchObject(expected)
  })

  it('is refused before the handler begins, and by default beyond 16 KiB', async () => {
    let begun = 0
    const { client } = await serve((request, call) => {
      begun += 1
      return answering(request, call)
    })
    expect(await outcomeOf(client, { headers: { a: 'x'.repeat(16_384) } })).toMatchObject(tooMuch)
    expect(await outcomeOf(client, { headers: { a: 'x'.repeat(16_000) } })).toMatchObject({ code: OK })
    expect(begun).toBe(1)
  })

  it('beyond what a connection may bring at all ends that call only', async () => {
    const { server, client } = await serve()
    const hostile = bareClient(server.address)
    opened.push(hostile)
    expect((await hostile.call({ headers: { a: 'x'.repeat(200_000) } })).code).not.toBe(OK)
    expect(await outcomeOf(client)).toMatchObject({ code: OK })
  })
})

describe('the message of a call', () => {
  const withToken = (length: number) => bytesOf({ ...question, accessToken: 'x'.repeat(length) })

  it('may have up to 256 KiB', async () => {
    const { client } = await serve()
    expect(await outcomeOf(client, { bytes: withToken(256 * 1024 - 40) })).toMatchObject({ code: OK })
    expect(await outcomeOf(client, { bytes: withToken(256 * 1024) })).toMatchObject({ code: RESOURCE_EXHAUSTED })
    expect(await outcomeOf(client)).toMatchObject({ code: OK })
  })

  it('may have no more once it is unpacked', async () => {
    const { server } = await serve()
    const session = connect(`http://${server.address}`)
    opened.push({ close: () => session.destroy() })
    const packed = gzipSync(withToken(50 * 1024 * 1024))
    expect(packed.length).toBeLessThan(100_000)
    const stream = session.request({
      ':method': 'POST',
      ':path': Check.check.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-encoding': 'gzip',
    })
    const head = Buffer.alloc(5)
    head.writeUInt8(1)
    head.writeUInt32BE(packed.length, 1)
    stream.end(Buffer.concat([head, packed]))
    const [headers] = await once(stream, 'response')
    expect(Number(headers['grpc-status'])).toBe(RESOURCE_EXHAUSTED)
  })

  it.each([
    ['no message at all', Buffer.from([0xff, 0xff, 0xff])],
    ['cut off', bytesOf(question).subarray(0, -1)],
    ['a field longer than the message', Buffer.from([0x0a, 0x7f, 0x61])],
    ['groups without end', Buffer.alloc(200_000, 0x0b)],
    ['messages in messages without end', Buffer.concat([Buffer.from([0x22]), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07])])],
  ])('whose bytes are none is INVALID_ARGUMENT: %s', async (_what, bytes) => {
    const { client, server } = await serve()
    expect(await outcomeOf(client, { bytes })).toEqual({ code: INVALID_ARGUMENT, reason: 'INVALID_REQUEST', fields: ['request'] })
    expect(server.lines()).toMatchObject([{ reason: 'INVALID_REQUEST' }])
    expect(await outcomeOf(client)).toMatchObject({ code: OK })
  })

  it('with fields that this version does not know is answered', async () => {
    const { client } = await serve()
    expect(await outcomeOf(client, { bytes: Buffer.concat([bytesOf(question), Buffer.from([0xfa, 0x7f, 0x01, 0x61])]) })).toMatchObject({ code: OK })
  })
})

describe('what is not served', () => {
  it.each([
    '/countersign.authorization.v1.AuthorizationCheckService/Chek',
    '/countersign.registry.v1.RegistryInternalService/ResolveGrants',
    '/x/y',
    '/',
    '/x/%0d%0a',
    '//',
    // What somebody else in between may take for a method that there is (grpc-go CVE-2026-33186).
    '//countersign.authorization.v1.AuthorizationCheckService/Check',
    '/countersign.authorization.v1.AuthorizationCheckService//Check',
    '/countersign.authorization.v1.AuthorizationCheckService/Check/',
    '/countersign.authorization.v1.AuthorizationCheckService/check',
    '/countersign.authorization.v1.authorizationcheckservice/Check',
    '/countersign.authorization.v1.AuthorizationCheckService%2fCheck',
    '/countersign.authorization.v1.AuthorizationCheckService/Check?x=1',
    '/countersign.authorization.v1.AuthorizationCheckService/Check#x',
    '/countersign.authorization.v1.AuthorizationCheckService/../countersign.authorization.v1.AuthorizationCheckService/Check',
  ])(
    '%s is UNIMPLEMENTED',
    async (path) => {
      const { client } = await serve()
      expect(await outcomeOf(client, { path })).toMatchObject({ code: UNIMPLEMENTED })
    },
  )

  it('an answer that is too long to be sent is told as such, and the next call is answered', async () => {
    const { client } = await serve(({ action }) => Promise.resolve({ ...allowed, identityId: 'x'.repeat(action === 'big' ? 5_000_000 : 1) }))
    expect(await outcomeOf(client, { bytes: bytesOf({ ...question, action: 'big' }) })).toMatchObject({ code: RESOURCE_EXHAUSTED })
    expect(await outcomeOf(client)).toMatchObject({ code: OK })
  })
})
