import { describe, expect, it } from 'vitest'
import { monotonicMillis } from '#libs/clock.js'
import { connectRedis } from '#libs/redis/connect.js'
import { COMMAND_WITHIN_MILLIS } from '#libs/redis/key-value.js'
import { until } from '../support/running-processes.js'
import { stablePort } from '../support/stable-port.js'
import { startTcpProxy } from '../support/tcp-proxy.js'
import { AT_ONCE_MILLIS, keepsAgain, LATE_MILLIS, listening, LONG, newKey, PATIENTLY, reads, timed, trouble } from './trouble.js'

// A cache in trouble costs time, and little of it: COMMAND_WITHIN_MILLIS at most, and while it is known to be in trouble
// none.

const { redis, connect, connected, proxy: proxied, after } = trouble()

describe('a Redis that is not there', PATIENTLY, () => {
  it('is done without, at once, and is used when it comes', async () => {
    await redis().stop()
    const store = connect()
    const hears = listening(store)
    store.publish('test:channel', 'nobody')
    expect(Math.max(...(await reads(store, newKey(), 50)))).toBeLessThan(AT_ONCE_MILLIS)
    expect(await timed(store.set(newKey(), Buffer.from('value'), LONG))).toBeLessThan(AT_ONCE_MILLIS)
    expect(store.isUp()).toBe(false)
    await redis().restart()
    await keepsAgain(store)
    await hears()
  })

  it('may have a name that leads nowhere, or a port where something else is silent', async () => {
    const proxy = await startTcpProxy({ target: `127.0.0.1:${await stablePort()}` })
    after(() => proxy.close())
    proxy.blackhole()
    for (const place of ['no-such-host.invalid:6379', proxy.address]) {
      const store = connect(`redis://:password@${place}`)
      expect(Math.max(...(await reads(store, newKey(), 50)))).toBeLessThan(AT_ONCE_MILLIS)
      expect(store.isUp()).toBe(false)
    }
  })

  // Seen to fail when `close` waits for the connection's end.
  it('does not keep anybody from closing', async () => {
    await redis().stop()
    const store = connect()
    await until(async () => store.said.length > 0)
    expect(await timed(store.close())).toBeLessThan(AT_ONCE_MILLIS)
  })
})

describe('a Redis that is killed', PATIENTLY, () => {
  it('is done without until it is back; then values and subscriptions are', async () => {
    const store = await connected()
    const hears = listening(store)
    await hears()
    await keepsAgain(store)
    const underWay = Array.from({ length: 50 }, () => store.get([newKey()]))
    redis().kill('SIGKILL')
    await redis().exited()
    expect(await Promise.all(underWay)).toEqual(underWay.map(() => [undefined]))
    await reads(store, newKey(), 10)
    expect(store.isUp()).toBe(false)
    await redis().restart()
    await keepsAgain(store)
    await hears()
  })

  // Seen to fail with a line for each error.
  it('is spoken of once when it goes and once when it is back, and never with the password', async () => {
    const store = await connected()
    await redis().stop()
    await until(async () => {
      await store.get([newKey()])
      return store.said.length > 0
    })
    await redis().restart()
    await until(async () => store.said.length > 1)
    await keepsAgain(store)
    expect(store.said.map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'Redis does not answer: everything is asked of its owner'],
      ['warn', 'Redis answers again'],
    ])
    expect(store.said[0]?.text).toContain('ECONNREFUSED')
    expect(store.said.map(({ text }) => text).join()).not.toContain(new URL(redis().url).password)
  })
})

describe('a Redis that is there and does not answer', PATIENTLY, () => {
  // Seen to fail without commandTimeout, without the breaker, and where subscriptions are not made anew.
  it('costs its time now and then, and otherwise none, until it goes on', async () => {
    const store = await connected()
    const key = newKey()
    await store.set(key, Buffer.from('value'), LONG)
    const hears = listening(store)
    await hears()
    redis().kill('SIGSTOP')
    after(() => redis().kill('SIGCONT'))
    const [first = 0, ...next] = await reads(store, key, 50)
    expect(first).toBeGreaterThan(COMMAND_WITHIN_MILLIS / 2)
    expect(Math.max(...next)).toBeLessThan(AT_ONCE_MILLIS)
    expect(store.isUp()).toBe(false)
    expect(await timed(store.set(key, Buffer.from('value'), LONG))).toBeLessThan(AT_ONCE_MILLIS)
    const took = [first, ...next]
    // Long enough for everything that can time out to do so.
    await until(async () => {
      took.push(...(await reads(store, key, 1)))
      return store.said.length > 0
    })
    expect(Math.max(...took)).toBeLessThan(COMMAND_WITHIN_MILLIS + LATE_MILLIS)
    expect(took.filter((millis) => millis >= AT_ONCE_MILLIS).length).toBeLessThan(8)
    redis().kill('SIGCONT')
    await keepsAgain(store)
    await hears()
    expect(await store.get([key])).toEqual([Buffer.from('value')])
  })

  // Seen to fail without socketTimeout: with the machine of the other side gone, nothing else ends the connection for minutes.
  it('loses its connection when commands are not answered, and a new one serves', async () => {
    const { proxy, url } = await proxied()
    const store = await connected(url)
    const { accepted } = proxy.counts()
    proxy.blackhole()
    await store.get([newKey()])
    await until(async () => proxy.counts().accepted > accepted)
    proxy.pass()
    await keepsAgain(store)
  })

  // Seen to fail without the heartbeat.
  it('loses the connection that only listens, too, and hears again', async () => {
    const { proxy, url } = await proxied()
    const store = await connected(url)
    const hears = listening(store)
    await hears()
    // From here on no command waits for an answer.
    await store.get([newKey()])
    const { accepted } = proxy.counts()
    proxy.blackhole()
    await until(async () => proxy.counts().accepted > accepted)
    proxy.pass()
    await hears()
  })
})

// Seen to fail without the listener of 'end'.
it('a connection that ioredis gave up is made again', async () => {
  const connection = connectRedis({ url: redis().url }, monotonicMillis)
  after(() => connection.close())
  connection.redis.on('error', () => undefined)
  const ready = () => new Promise<void>((done) => connection.redis.once('ready', () => done()))
  await ready()
  connection.redis.disconnect()
  await ready()
})
