import { afterEach, describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { createRpcClient, type RpcClient } from '#libs/rpc/client.js'
import { type Call, whenAnswered } from '#libs/rpc/unary.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { allowed, answering, bareClient, type BareCall, type Handler, outgoing, question, type SmallServer, startServer } from './small-server.js'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN_ID = '00f067aa0ba902b7'
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function serve(handler: Handler): Promise<SmallServer> {
  const server = await startServer(handler)
  opened.push(server)
  return server
}

function clientOf(server: SmallServer): RpcClient {
  const client = createRpcClient({ address: server.address })
  opened.push(client)
  return client
}

async function callOnce(server: SmallServer, given: BareCall = {}) {
  const client = bareClient(server.address)
  const status = await client.call({ deadlineMillis: 5_000, ...given })
  client.close()
  return status
}

describe('a call through two services', () => {
  it('is one trace and one request id in both, in their logs and in the call between them', async () => {
    const seen: Call[] = []
    const behind = await serve((_request, call) => {
      seen.push(call)
      return Promise.resolve(allowed)
    })
    const next = clientOf(behind)
    const front = await serve((request, call) => {
      seen.push(call)
      return next.unary(Check.check, request, call)
    })
    const { code } = await callOnce(front, { headers: { traceparent: TRACEPARENT, 'x-request-id': 'order-7' } })

    expect(code).toBe(0)
    const [first, second] = seen.map(({ trace }) => trace)
    expect(first).toMatchObject({ requestId: 'order-7', traceId: TRACE_ID, parentSpanId: SPAN_ID, flags: '01' })
    expect(second).toMatchObject({ requestId: 'order-7', traceId: TRACE_ID, parentSpanId: first?.spanId, flags: '01' })
    expect(front.lines()).toMatchObject([{ request_id: 'order-7', trace_id: TRACE_ID, span_id: first?.spanId, parent_span_id: SPAN_ID }])
    expect(behind.lines()).toMatchObject([{ request_id: 'order-7', trace_id: TRACE_ID, span_id: second?.spanId, parent_span_id: first?.spanId }])
  })

  it('that names no trace begins one, whose id is its request id', async () => {
    const server = await serve(answering)
    await callOnce(server)
    const [line] = server.lines()
    expect(line?.['request_id']).toMatch(/^[0-9a-f]{32}$/)
    expect(line).toMatchObject({ trace_id: line?.['request_id'] })
    expect(line).not.toHaveProperty('parent_span_id')
  })

  it('that names two traces or two request ids names none', async () => {
    const server = await serve(answering)
    await callOnce(server, { headers: { traceparent: `${TRACEPARENT}, ${TRACEPARENT}`, 'x-request-id': 'a, b' } })
    expect(server.lines()[0]?.['trace_id']).not.toBe(TRACE_ID)
    expect(server.lines()[0]?.['request_id']).toMatch(/^[0-9a-f]{32}$/)
  })

  it('shows the caller its request id when it is refused', async () => {
    const server = await serve(() => Promise.reject(new DomainError('NOT_FOUND', 'NO', 'No.')))
    const { metadata } = await callOnce(server, { headers: { 'x-request-id': 'order-7' } })
    expect(metadata.get('x-request-id')).toEqual(['order-7'])
  })
})

describe('the log of a server', () => {
  const path = 'countersign.authorization.v1.AuthorizationCheckService/Check'

  it('has one line for one call: what was called, how it ended, how long it took, from where, and what the handler adds', async () => {
    const server = await serve((_request, call) => {
      call.note({ organization_id: 'o1', allowed: true })
      call.note({ identity_id: 'i1' })
      return Promise.resolve(allowed)
    })
    await callOnce(server)
    expect(server.lines()).toEqual([
      expect.objectContaining({
        level: 'info',
        msg: 'call answered',
        'rpc.method': path,
        'rpc.status': 'OK',
        duration_ms: expect.any(Number),
        peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        organization_id: 'o1',
        allowed: true,
        identity_id: 'i1',
      }),
    ])
  })

  it.each(
    [
      ['NOT_FOUND', 'info', 'call refused'],
      ['UNAUTHENTICATED', 'info', 'call refused'],
      ['UNAVAILABLE', 'warn', 'call had no answer'],
      ['INTERNAL', 'error', 'call failed'],
    ] as const,
  )('says of a call that ended %s why, at level %s', async (kind, level, msg) => {
    const server = await serve((_request, call) => {
      call.note({ organization_id: 'o1' })
      return Promise.reject(new DomainError(kind, 'SOME_REASON', 'A message with what-was-asked in it.', { metadata: { name: 'what-was-asked' } }))
    })
    await callOnce(server)
    expect(server.lines()).toEqual([
      expect.objectContaining({ level, msg, 'rpc.method': path, 'rpc.status': kind, reason: 'SOME_REASON', organization_id: 'o1' }),
    ])
    expect(server.logged()).not.toContain('what-was-asked')
  })

  it('says of an error that nobody meant all that helps to find it, and the caller sees none of it', async () => {
    const server = await serve(() => Promise.reject(new Error('the disk is full')))
    const { code, details, metadata } = await callOnce(server, { headers: { 'x-request-id': 'order-7' } })
    expect(server.lines()).toMatchObject([
      {
        level: 'error',
        msg: 'unexpected error',
        request_id: 'order-7',
        err: { message: 'the disk is full', stack: expect.stringContaining('tracing.test.ts') },
      },
      { level: 'error', msg: 'call failed', request_id: 'order-7', 'rpc.status': 'INTERNAL' },
    ])
    expect(code).toBe(13)
    expect(details + JSON.stringify(metadata)).not.toContain('disk')
  })

  // What a call brings and what it is answered ends in no log, however it ends.
  it('has nothing of a request, an answer or a credential', async () => {
    const server = await serve((request) => {
      if (request.action === 'read') return Promise.resolve(allowed)
      return Promise.reject(new DomainError('PERMISSION_DENIED', 'NO', `Not for ${request.accessToken}.`))
    })
    const client = clientOf(server)
    await client.unary(Check.check, question, outgoing())
    await expect(client.unary(Check.check, { ...question, action: 'write' }, outgoing())).rejects.toThrow()
    await callOnce(server, { headers: { authorization: 'Bearer the-token-of-a-caller', 'countersign-credential': 'a:the-token-of-a-service' } })
    expect(server.lines()).toHaveLength(3)
    expect(server.logged()).not.toMatch(/the-token|somebody|secrets/)
  })

  it('leaves out what a handler calls quiet, but not what goes wrong', async () => {
    const server = await startServer(answering, {
      services: (
        unary,
      ) => [[Check, {
        check: unary<typeof question, typeof allowed>(
          ({ action }) => (action === 'read' ? Promise.resolve(allowed) : Promise.reject(new DomainError('NOT_FOUND', 'NO', 'No.'))),
          whenAnswered,
        ),
      }]],
    })
    opened.push(server)
    const client = clientOf(server)
    await client.unary(Check.check, question, outgoing())
    expect(server.lines()).toEqual([])
    await expect(client.unary(Check.check, { ...question, action: 'write' }, outgoing())).rejects.toThrow()
    expect(server.lines()).toHaveLength(1)
  })
})
