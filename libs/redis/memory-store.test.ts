import { describe, expect, it } from 'vitest'
import { keyValueStoreSuite } from '../../test/support/key-value-suite.js'
import { memoryStore } from './memory-store.js'

let millis = 0
const shared = memoryStore(() => millis)
keyValueStoreSuite({
  stores: () => [shared, shared],
  pass: (more) => {
    millis += more
  },
})

describe('does not grow without end', () => {
  it('drops what was set longest ago', async () => {
    const store = memoryStore(() => 0)
    const set = (name: string) => store.set(name, Buffer.from(name), 60_000)
    for (let count = 0; count < 50_000; count += 1) await set(`key-${count}`)
    await set('key-0')
    await set('one more')
    expect(await store.get(['key-0', 'key-1', 'key-2', 'one more'])).toEqual([Buffer.from('key-0'), undefined, Buffer.from('key-2'), Buffer.from('one more')])
  })
})

it('holds nothing and tells nobody after it was closed', async () => {
  const store = memoryStore(() => 0)
  let heard = 0
  store.listen('channel', () => (heard += 1))
  await store.set('key', Buffer.from('value'), 60_000)
  await store.close()
  store.publish('channel', 'message')
  expect(await store.get(['key'])).toEqual([undefined])
  expect(heard).toBe(0)
})
