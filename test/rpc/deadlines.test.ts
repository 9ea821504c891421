import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { createRpcClient } from '#libs/rpc/client.js'
import { remainingMillis } from '#libs/rpc/deadline.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { reasonOf } from '../support/raw-calls.js'
import { allowed, bareClient, type BareCall, type Handler, type Options, outgoing, question, type SmallServer, startServer } from './small-server.js'

const { UNAVAILABLE } = status

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function serve(handler: Handler, options?: Options): Promise<SmallServer> {
  const server = await startServer(handler, { graceMillis: 50, ...options })
  opened.push(server)
  return server
}

async function outcomeOf({ address }: SmallServer, given: BareCall) {
  const client = bareClient(address)
  opened.push(client)
  const { code, details, metadata } = await client.call(given)
  return { code, reason: reasonOf({ code, details, headers: metadata, trailers: metadata, answer: undefined }) }
}

const never: Handler = () => new Promise(() => undefined)

/** A server that keeps what is left of each call's time when its handler begins. */
async function measuring(maxMillis = 10_000) {
  const left: number[] = []
  const server = await serve(
    (_request, { deadline }) => {
      left.push(remainingMillis(deadline))
      return Promise.resolve(allowed)
    },
    { limits: { maxMillis } },
  )
  return { server, left }
}

describe('the deadline of a call', () => {
  it('reaches the handler', async () => {
    const { server, left } = await measuring()
    await outcomeOf(server, { deadlineMillis: 4_000 })
    expect(left[0]).toBeGreaterThan(3_000)
    expect(left[0]).toBeLessThanOrEqual(4_001)
  })

  it.each([['none was given', undefined], ['a later one was given', 3_600_000]])(
    'is the cap of the server where %s',
    async (_what, deadlineMillis) => {
      const { server, left } = await measuring(2_000)
      await outcomeOf(server, deadlineMillis === undefined ? {} : { deadlineMillis })
      expect(left[0]).toBeGreaterThan(1_500)
      expect(left[0]).toBeLessThanOrEqual(2_000)
    },
  )

  it('reaches the next service, a little earlier', async () => {
    const { server: behind, left } = await measuring()
    const next = createRpcClient({ address: behind.address })
    opened.push(next)
    const fronts: number[] = []
    const front = await serve((request, call) => {
      fronts.push(remainingMillis(call.deadline))
      return next.unary(Check.check, request, call)
    })
    await outcomeOf(front, { deadlineMillis: 4_000 })
    expect(left[0]).toBeLessThan((fronts[0] ?? 0) - 4)
    expect(left[0]).toBeGreaterThan(3_000)
  })

  it('of a service that calls another is kept, though the first caller has none', async () => {
    const { server: behind, left } = await measuring(60_000)
    const next = createRpcClient({ address: behind.address })
    opened.push(next)
    const front = await serve((request, call) => next.unary(Check.check, request, call), { limits: { maxMillis: 2_000 } })
    await outcomeOf(front, {})
    expect(left[0]).toBeLessThan(2_000)
  })
})

// The reason is that of the server, so its answer came before the client gave up by itself. Again if it did not: both are
// timers of one process that may have been stopped for longer than lies between them.
describe('a handler that never answers', { retry: 2 }, () => {
  it.each([
    ['before the deadline of the caller', { deadlineMillis: 500 }, 10_000],
    ['at the cap, where the caller gave no deadline', {}, 300],
    ['at the cap, where the caller gave a later one', { deadlineMillis: 60_000 }, 300],
  ])('is UNAVAILABLE, OUT_OF_TIME, %s', async (_when, given, maxMillis) => {
    const server = await serve(never, { limits: { maxMillis } })
    expect(await outcomeOf(server, given)).toEqual({ code: UNAVAILABLE, reason: 'OUT_OF_TIME' })
    expect(server.lines()).toMatchObject([{ msg: 'call had no answer', 'rpc.status': 'UNAVAILABLE', reason: 'OUT_OF_TIME' }])
  })

  it('two services away is UNAVAILABLE too, told by a service and not by the own clock', async () => {
    const behind = await serve(never)
    const next = createRpcClient({ address: behind.address })
    opened.push(next)
    const front = await serve((request, call) => next.unary(Check.check, request, call))
    expect(await outcomeOf(front, { deadlineMillis: 800 })).toEqual({ code: UNAVAILABLE, reason: 'OUT_OF_TIME' })
  })
})

describe('a caller with no time left', () => {
  it('is UNAVAILABLE at once, and reaches nobody', async () => {
    const { server, left } = await measuring()
    const client = createRpcClient({ address: server.address })
    opened.push(client)
    await expect(client.unary(Check.check, question, outgoing(-1))).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
    expect(left).toEqual([])
  })
})
