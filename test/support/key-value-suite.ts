import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import { until } from './running-processes.js'

export type StoreUnderTest = {
  /** Two ways into one store that is ready. */
  readonly stores: () => readonly [KeyValueStore, KeyValueStore]
  /** Lets time pass, where time stands still otherwise. */
  readonly pass: (millis: number) => void
}

/** What every store behind the port does. */
export function keyValueStoreSuite({ stores, pass }: StoreUnderTest): void {
  const LONG = 60_000
  const key = () => `test:value:v1:${randomBytes(8).toString('hex')}`
  const channel = () => `test:hints:${randomBytes(8).toString('hex')}`

  describe('keeps', () => {
    it('bytes as they are', async () => {
      const [store, other] = stores()
      const values = [Buffer.alloc(0), Buffer.from([0, 255, 13, 10, 128]), randomBytes(5_000)]
      for (const value of values) {
        const at = key()
        await store.set(at, value, LONG)
        expect(await other.get([at])).toEqual([value])
      }
    })

    it('one value for each key, in their order', async () => {
      const [store] = stores()
      const [first, absent, third] = [key(), key(), key()]
      await store.set(first, Buffer.from('1'), LONG)
      await store.set(third, Buffer.from('3'), LONG)
      expect(await store.get([third, absent, first, third])).toEqual([Buffer.from('3'), undefined, Buffer.from('1'), Buffer.from('3')])
      expect(await store.get([])).toEqual([])
    })

    it('the last value', async () => {
      const [store] = stores()
      const at = key()
      await store.set(at, Buffer.from('old'), LONG)
      await store.set(at, Buffer.from('new'), LONG)
      expect(await store.get([at])).toEqual([Buffer.from('new')])
    })

    it('a value until its end', async () => {
      const [store] = stores()
      const [short, long] = [key(), key()]
      await store.set(short, Buffer.from('short'), 200.5)
      await store.set(long, Buffer.from('long'), LONG)
      expect(await store.get([short, long])).toEqual([Buffer.from('short'), Buffer.from('long')])
      pass(201)
      await until(async () => (await store.get([short]))[0] === undefined)
      expect(await store.get([long])).toEqual([Buffer.from('long')])
    })

    it.each([0, 0.9, -1, NaN])('nothing for %d ms: what was there stays, and what comes is kept', async (ttlMillis) => {
      const [store] = stores()
      const [none, old, next] = [key(), key(), key()]
      await store.set(old, Buffer.from('old'), LONG)
      await store.set(none, Buffer.from('none'), ttlMillis)
      await store.set(old, Buffer.from('new'), ttlMillis)
      await store.set(next, Buffer.from('next'), LONG)
      expect(await store.get([none, old, next])).toEqual([undefined, Buffer.from('old'), Buffer.from('next')])
    })
  })

  describe('tells', () => {
    it('everybody who listens to the channel, and nobody else', async () => {
      const [store, other] = stores()
      const [at, elsewhere] = [channel(), channel()]
      const heard: Record<'here' | 'again' | 'there' | 'elsewhere', Set<string>> = { here: new Set(), again: new Set(), there: new Set(), elsewhere: new Set() }
      store.listen(at, (message) => heard.here.add(message))
      store.listen(at, (message) => heard.again.add(message))
      other.listen(at, (message) => heard.there.add(message))
      other.listen(elsewhere, (message) => heard.elsewhere.add(message))
      // A subscription takes a moment, and what is said before is lost.
      await until(async () => {
        store.publish(at, 'registry')
        store.publish(elsewhere, 'exchange')
        return Object.values(heard).every((messages) => messages.size > 0)
      })
      expect(heard).toEqual({ here: new Set(['registry']), again: new Set(['registry']), there: new Set(['registry']), elsewhere: new Set(['exchange']) })
    })

    it('after publish has returned', async () => {
      const [store] = stores()
      const at = channel()
      let publishing = false
      const heard: boolean[] = []
      store.listen(at, () => heard.push(publishing))
      await until(async () => {
        publishing = true
        store.publish(at, 'now')
        publishing = false
        return heard.length > 0
      })
      expect(heard).not.toContain(true)
    })
  })
}
