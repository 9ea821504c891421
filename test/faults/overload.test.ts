import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLog } from '#libs/log.js'
import { createRpcServer, type RpcServer } from '#libs/rpc/server.js'
import { defaultLimits } from '#libs/rpc/unary.js'
import type { GetJsonWebKeySetResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type Calls, callsTo } from '../support/calls.js'
import { until } from '../support/running-processes.js'

const MAX_IN_FLIGHT = 3

let server: RpcServer
let calls: Calls
const waiting: (() => void)[] = []

beforeAll(async () => {
  server = createRpcServer({
    log: createLog({ service: 'test', level: 'silent' }),
    address: { host: '127.0.0.1', port: 0 },
    portVariable: 'TEST_PORT',
    graceMillis: 0,
    limits: { ...defaultLimits, maxInFlight: MAX_IN_FLIGHT },
    services: (unary) => {
      const handler = () => new Promise<GetJsonWebKeySetResponse>((answer) => waiting.push(() => answer({ keys: [] })))
      const methods: UntypedServiceImplementation = { getJsonWebKeySet: unary(handler) }
      return [[Exchange, methods]]
    },
  })
  calls = callsTo(`127.0.0.1:${await server.listen()}`)
})
afterAll(async () => {
  calls.close()
  await server.close()
})

const call = () => calls(Exchange.getJsonWebKeySet, {})

// Seen to fail with the limit out of the adapter.
it('more calls than a server may have under way are refused at once, and those under way are answered', async () => {
  const underWay = Array.from({ length: MAX_IN_FLIGHT }, call)
  await until(() => Promise.resolve(waiting.length === MAX_IN_FLIGHT))
  for (let times = 0; times < 3; times += 1) {
    await expect(call()).rejects.toMatchObject({ kind: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' })
  }
  for (const answer of waiting.splice(0)) answer()
  expect(await Promise.all(underWay)).toHaveLength(MAX_IN_FLIGHT)
  const later = call()
  await until(() => Promise.resolve(waiting.length === 1))
  waiting[0]?.()
  expect(await later).toEqual({ keys: [] })
})
