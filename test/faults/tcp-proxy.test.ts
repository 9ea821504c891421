import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { monotonicMillis } from '#libs/clock.js'
import { stablePort } from '../support/stable-port.js'
import { startTcpProxy, type TcpProxy, WINDOW_BYTES } from '../support/tcp-proxy.js'
import { dial, type End, meanwhile, startTarget, type Target } from './plain-sockets.js'

// Every test was seen to fail with what it is about taken out of tcp-proxy.ts.

let target: Target
let proxy: TcpProxy
const clients: End[] = []

beforeEach(async () => {
  target = await startTarget()
  proxy = await startTcpProxy({ target: target.address })
})
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy()
  await proxy.close()
  target.close()
})

function newClient(): End {
  const client = dial(proxy.address)
  clients.push(client)
  return client
}

/** A connection that has carried something both ways. */
async function established(): Promise<{ client: End; server: End }> {
  const client = newClient()
  client.says('hello')
  const server = await target.next()
  await server.hears('hello')
  server.says('welcome')
  await client.hears('welcome')
  return { client, server }
}

async function nothingOpen(): Promise<void> {
  while (proxy.counts().open > 0) await meanwhile(1)
}

describe('pass', () => {
  it('carries both ways, counts, and lets each end say that it has ended', async () => {
    const { client, server } = await established()
    expect(proxy.counts()).toEqual({ accepted: 1, open: 1, toTarget: 5, toClient: 7 })

    client.socket.end()
    await server.hears('end')
    server.says('still here')
    await client.hears('still here')
    server.socket.end()
    await client.hears('end')

    await nothingOpen()
    expect(proxy.counts()).toEqual({ accepted: 1, open: 0, toTarget: 5, toClient: 17 })
  })

  it('hands a reset on, either way', async () => {
    const one = await established()
    one.client.socket.resetAndDestroy().destroy()
    await one.server.hears('ECONNRESET')
    const other = await established()
    other.server.socket.resetAndDestroy().destroy()
    await other.client.hears('ECONNRESET')
    await nothingOpen()
  })

  it('resets who comes while the target is not there', async () => {
    const toNobody = await startTcpProxy({ target: `127.0.0.1:${await stablePort()}` })
    await dial(toNobody.address).hears('ECONNRESET')
    await toNobody.close()
  })

  it('makes a sender wait whose receiver does not read, and loses nothing', async () => {
    const client = newClient()
    const server = await target.next()
    server.socket.pause()
    const text = randomBytes(16 * WINDOW_BYTES).toString('hex')
    for (let at = 0; at < text.length; at += 65_536) client.says(text.slice(at, at + 65_536))

    let left: number
    do {
      left = client.socket.writableLength
      await meanwhile()
    } while (client.socket.writableLength < left)

    // The rest lies in the kernel's buffers of two connections, and one window in the proxy.
    expect(left).toBeGreaterThan(8 * WINDOW_BYTES)
    client.socket.end()
    server.socket.resume()
    await once(server.socket, 'end')
    expect(server.heard.slice(0, -1).join('') === text).toBe(true)
    expect(proxy.counts().toTarget).toBe(text.length)
  })
})

describe('delay', () => {
  it('lets everything arrive that much later, each way, and a connection too', async () => {
    proxy.delay(100)
    const start = monotonicMillis()
    const client = newClient()
    client.says('hello')
    const server = await target.next()
    expect(monotonicMillis() - start).toBeGreaterThanOrEqual(99)
    await server.hears('hello')
    const half = monotonicMillis()
    server.says('welcome')
    await client.hears('welcome')
    expect(monotonicMillis() - half).toBeGreaterThanOrEqual(99)
  })

  it('delays what follows by no more than what came before', async () => {
    const { client, server } = await established()
    proxy.delay(200)
    const start = monotonicMillis()
    for (let number = 0; number < 20; number += 1) {
      client.says(`(${number})`)
      await meanwhile(1)
    }
    await server.hears('(19)')
    // One after the other would have taken 4 s.
    expect(monotonicMillis() - start).toBeLessThan(2_000)
  })

  it('keeps the order, whatever the jitter, also when it ends', async () => {
    const { client, server } = await established()
    const said = Array.from({ length: 60 }, (_, number) => `(${number})`)
    proxy.delay(5, 40)
    for (const text of said) {
      if (text === '(40)') proxy.pass()
      client.says(text)
      await meanwhile(1)
    }
    await server.hears('(59)')
    expect(server.heard.join('')).toBe(`hello${said.join('')}`)
  })
})

describe('cut', () => {
  it('resets all connections and those to come, and carries new ones when it ends', async () => {
    const { client, server } = await established()

    proxy.cut()

    await Promise.all([client.hears('ECONNRESET'), server.hears('ECONNRESET')])
    await newClient().hears('ECONNRESET')
    await meanwhile()
    expect(target.accepted).toHaveLength(1)
    expect(proxy.counts()).toMatchObject({ accepted: 2, open: 0 })
    proxy.pass()
    await established()
  })
})

describe('blackhole', () => {
  it('moves nothing and closes nothing, and what was held up arrives when it ends', async () => {
    const { client, server } = await established()

    proxy.blackhole()
    client.says('question')
    client.socket.end()
    server.says('answer')
    await meanwhile()
    expect([server.heard, client.heard]).toEqual([['hello'], ['welcome']])
    expect(proxy.counts()).toEqual({ accepted: 1, open: 1, toTarget: 5, toClient: 7 })

    proxy.pass()
    await Promise.all([server.hears('questionend'), client.hears('answer')])
  })

  it('holds up a reset too', async () => {
    const { client, server } = await established()
    proxy.blackhole()
    client.socket.resetAndDestroy().destroy()
    await meanwhile()
    expect(server.heard).toEqual(['hello'])
    expect(proxy.counts().open).toBe(1)

    proxy.pass()
    await server.hears('ECONNRESET')
  })

  it('accepts new connections, of which the target hears when it ends', async () => {
    proxy.blackhole()
    const client = newClient()
    await once(client.socket, 'connect')
    client.says('hello')
    await meanwhile()
    expect(target.accepted).toEqual([])
    expect(client.heard).toEqual([])

    proxy.pass()
    await (await target.next()).hears('hello')
  })
})

describe('half open', () => {
  it.each([
    ['toTarget', 'client', 'server'],
    ['toClient', 'server', 'client'],
  ] as const)('%s: what the %s says is held up, what the %s says arrives', async (held, mute, heard) => {
    const ends = await established()

    proxy.halfOpen(held)
    ends[mute].says('held')
    ends[heard].says('arrives')
    await ends[mute].hears('arrives')
    await meanwhile()
    expect(ends[heard].heard).not.toContain('held')

    proxy.pass()
    await ends[heard].hears('held')
  })

  it('toClient: the target hears of new connections, and its answers are held up', async () => {
    proxy.halfOpen('toClient')
    const client = newClient()
    client.says('hello')
    const server = await target.next()
    await server.hears('hello')
    server.says('welcome')
    await meanwhile()
    expect(client.heard).toEqual([])
  })
})

it('resetAll resets what is there, and not what comes', async () => {
  const { client, server } = await established()
  proxy.resetAll()
  await Promise.all([client.hears('ECONNRESET'), server.hears('ECONNRESET')])
  await established()
})

it.each(['pass', 'delay', 'blackhole', 'cut'] as const)('closes in the mode %s with something under way, and frees its port', async (mode) => {
  const { client } = await established()
  proxy[mode](60_000)
  client.says('too late')
  const late = newClient()
  await (mode === 'cut' ? late.hears('ECONNRESET') : once(late.socket, 'connect'))

  await proxy.close()
  await proxy.close()

  await dial(proxy.address).hears('ECONNREFUSED')
  await nothingOpen()
})
