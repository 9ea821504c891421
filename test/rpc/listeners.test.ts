import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { monotonicMillis } from '#libs/clock.js'
import { createLog } from '#libs/log.js'
import { createMetrics } from '#libs/metrics/metrics.js'
import { type Listener, listenersOf } from '#libs/rpc/listeners.js'
import { PLAIN } from '#libs/rpc/transport.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { HealthCheckResponse_ServingStatus as Serving, HealthService } from '#libs/wire/gen/health/v1/health.js'
import { type Calls, callsTo } from '../support/calls.js'
import { stablePort } from '../support/stable-port.js'
import { allowed, type Handler, holding, question } from './small-server.js'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Options = { readonly lameDuckSeconds?: number; readonly drainSeconds?: number; readonly handler?: Handler }

/** Two listeners and one for health. */
async function start({ lameDuckSeconds = 0, drainSeconds = 1, handler = () => allowed }: Options = {}) {
  const healthPort = await stablePort()
  const config = { HOST: '127.0.0.1', HEALTH_PORT: healthPort, METRICS_PORT: 0, LAME_DUCK_SECONDS: lameDuckSeconds, DRAIN_SECONDS: drainSeconds }
  const metrics = createMetrics()
  const listener = (portVariable: string): Listener => ({
    address: { host: '127.0.0.1', port: 0 },
    portVariable,
    callers: 'anybody',
    services: (unary) => [[Check, { check: unary(handler) }]],
  })
  const listeners = listenersOf([listener('ONE_PORT'), listener('OTHER_PORT')], { config, log: createLog({ service: 'x', level: 'silent' }), transport: PLAIN, metrics })
  await listeners.listenForProbes()
  const ports = await listeners.listen()
  const [one, other, health] = [...ports.slice(0, 2), healthPort].map((port) => opened(`127.0.0.1:${port}`))
  if (!one || !other || !health) throw new Error('no listeners')
  closing.unshift(() => listeners.close())
  return { listeners, one, other, health, metrics }
}

function opened(address: string): Calls {
  const calls = callsTo(address)
  closing.push(() => calls.close())
  return calls
}

const NAMES = ['', 'readiness', 'liveness', 'countersign.authorization.v1.AuthorizationCheckService']
const statusesOf = (health: Calls) => Promise.all(NAMES.map(async (service) => (await health(HealthService.check, { service })).status))
const [UP, DOWN] = [Serving.SERVING, Serving.NOT_SERVING]

describe('the health listener', () => {
  it('answers for all listeners, in plain text, and for nothing else', async () => {
    const { listeners, health } = await start()
    expect(await statusesOf(health)).toEqual([DOWN, DOWN, UP, DOWN])
    listeners.setReady()
    expect(await statusesOf(health)).toEqual([UP, UP, UP, UP])
    await expect(health(Check.check, question)).rejects.toMatchObject({ reason: 'PEER_REFUSED' })
    await expect(health(HealthService.check, { service: 'readines' })).rejects.toMatchObject({ kind: 'NOT_FOUND' })
  })
})

describe('leaving', () => {
  it('says so at once, takes calls for the lame duck’s time, and then no more', async () => {
    const { listeners, one, other, health } = await start({ lameDuckSeconds: 1 })
    listeners.setReady()
    const began = monotonicMillis()
    const left = listeners.close()
    expect(await statusesOf(health)).toEqual([DOWN, DOWN, UP, DOWN])
    // Nothing that becomes well meanwhile makes it look ready.
    listeners.setReady()
    expect(await statusesOf(health)).toEqual([DOWN, DOWN, UP, DOWN])
    expect(await one(Check.check, question)).toEqual(allowed)
    expect(await other(Check.check, question)).toEqual(allowed)
    await left
    expect(monotonicMillis() - began).toBeGreaterThanOrEqual(990)
    await expect(one(Check.check, question, 500)).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
  })

  it('finishes what is under way, while health is still answered', async () => {
    const held = holding()
    const { listeners, one, health } = await start({ handler: held.handler })
    const answer = one(Check.check, question)
    await held.arrived(1)
    const left = listeners.close()
    expect(await statusesOf(health)).toEqual([DOWN, DOWN, UP, DOWN])
    held.answerAll()
    expect(await answer).toEqual(allowed)
    await left
  })

  it('ends whatever happens: what is never answered is cut after the grace', async () => {
    const held = holding()
    const { listeners, one } = await start({ handler: held.handler, drainSeconds: 0 })
    const answer = one(Check.check, question)
    answer.catch(() => undefined)
    await held.arrived(1)
    await Promise.race([listeners.close(), sleep(5_000).then(() => Promise.reject(new Error('still there')))])
    await expect(answer).rejects.toMatchObject({ kind: 'UNAVAILABLE' })
  })
})

describe('calls', () => {
  it('are counted by method and status, with how long they took', async () => {
    const { one, metrics } = await start()
    await one(Check.check, question)
    await one(Check.check, question)
    const text = await metrics.text()
    expect(text).toContain('# TYPE rpc_server_call_duration_seconds histogram\n')
    expect(text).toContain('rpc_server_call_duration_seconds_count{rpc_method="countersign.authorization.v1.AuthorizationCheckService/Check",rpc_response_status_code="OK"} 2\n')
    expect(text).toContain('countersign_rpc_calls_in_flight 0\n')
  })
})
