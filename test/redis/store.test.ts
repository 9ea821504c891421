import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { createLog } from '#libs/log.js'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import { redisStore } from '#libs/redis/redis-store.js'
import { keyValueStoreSuite } from '../support/key-value-suite.js'
import { until } from '../support/running-processes.js'

// Patient, since on a machine that is busy with other tests a command may take long where nothing is wrong.
const make = () => redisStore({ url: inject('redisUrl'), log: createLog({ service: 'test', level: 'silent' }), commandWithinMillis: 10_000 })
const [first, second] = [make(), make()]

const answers = async (store: KeyValueStore) => (await store.get(['test:any'])).length > 0 && store.isUp()

beforeEach(() => until(async () => (await answers(first)) && (await answers(second))))
afterAll(() => Promise.all([first.close(), second.close()]))

describe('Redis', () => keyValueStoreSuite({ stores: () => [first, second], pass: () => undefined }))

it('finds nothing, does nothing and says that it is down after it was closed', async () => {
  const store = make()
  await until(async () => store.isUp())
  store.listen('test:channel', () => undefined)
  await store.close()
  await store.close()
  await store.set('test:closed', Buffer.from('value'), 60_000)
  store.publish('test:channel', 'message')
  expect(await store.get(['test:closed'])).toEqual([undefined])
  expect(store.isUp()).toBe(false)
})
