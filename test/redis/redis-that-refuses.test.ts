import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { COMMAND_WITHIN_MILLIS } from '#libs/redis/key-value.js'
import { until } from '../support/running-processes.js'
import { stablePort } from '../support/stable-port.js'
import { keepsAgain, LATE_MILLIS, LONG, newKey, PATIENTLY, timed, trouble } from './trouble.js'

const { redis, connect, connected, proxy: proxied } = trouble()

describe('a Redis that refuses', PATIENTLY, () => {
  // Seen to fail with one breaker for reads and writes.
  it('to write, having no room left, still serves what it holds', async () => {
    const store = await connected()
    const key = newKey()
    await store.set(key, Buffer.from('value'), LONG)
    await redis().client().config('SET', 'maxmemory-policy', 'noeviction')
    await redis().client().config('SET', 'maxmemory', '1')
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await store.set(newKey(), randomBytes(100), LONG)
      expect(await store.get([key])).toEqual([Buffer.from('value')])
    }
    await until(async () => store.said.length > 0)
    expect(store.said.map(({ msg }) => msg)).toEqual(['Redis takes no writes: what it does not hold yet is asked of its owner'])
    await redis().client().config('SET', 'maxmemory', '0')
    await keepsAgain(store)
  })

  // Seen to fail without reconnectOnError: a name may lead to the new primary, but nobody asks it again.
  it('to write, having become a replica, is connected to anew, and used again once it is a primary', async () => {
    const { proxy, url } = await proxied()
    const store = await connected(url)
    const key = newKey()
    await store.set(key, Buffer.from('value'), LONG)
    await redis().client().replicaof('127.0.0.1', await stablePort())
    const { accepted } = proxy.counts()
    expect(await timed(store.set(key, Buffer.from('other'), LONG))).toBeLessThan(COMMAND_WITHIN_MILLIS + LATE_MILLIS)
    await until(async () => proxy.counts().accepted > accepted)
    await until(async () => (await store.get([key]))[0]?.toString() === 'value')
    await redis().client().replicaof('NO', 'ONE')
    await keepsAgain(store)
  })

  it('us at all is spoken of without the password', async () => {
    const store = connect(redis().url.replace(new URL(redis().url).password, 'hunter2-hunter2'))
    expect(await store.get([newKey()])).toEqual([undefined])
    await until(async () => store.said.length > 0)
    expect(store.isUp()).toBe(false)
    expect(store.said[0]?.text).toContain('WRONGPASS')
    expect(store.said[0]?.text).not.toContain('hunter2')
  })
})
