import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { momentNow, monotonicMillis } from '../clock.js'
import { HINTS, type KeyValueStore } from '../redis/key-value.js'
import { pulledUpTo } from '../../test/support/hand-feed.js'
import { follow } from './follow.js'
import { keepPulling } from './keep-pulling.js'

describe('a feed that is kept pulled', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** A feed whose pulls are answered at once, with the times at which they were sent, and a Redis in which anybody may publish. */
  function pulledFeed() {
    const begun = monotonicMillis()
    const sentAt: number[] = []
    const feed = follow({
      name: 'registry',
      now: momentNow,
      pull: () => {
        sentAt.push(monotonicMillis() - begun)
        return Promise.resolve(pulledUpTo(7))
      },
    })
    const listeners: ((message: string) => void)[] = []
    const store: KeyValueStore = {
      get: () => Promise.resolve([]),
      set: () => Promise.resolve(),
      publish: () => undefined,
      listen: (channel, onMessage) => {
        if (channel === HINTS) listeners.push(onMessage)
      },
      isUp: () => true,
      close: () => Promise.resolve(),
    }
    const stop = keepPulling(feed, store, (failure) => expect.fail(String(failure)))
    const publish = (message: string) => {
      for (const listener of listeners) listener(message)
    }
    return { sentAt, publish, stop, pass: (millis: number) => vi.advanceTimersByTimeAsync(millis) }
  }

  it('is pulled every 50 ms', async () => {
    const { sentAt, pass, stop } = pulledFeed()
    await pass(150)
    expect(sentAt).toEqual([50, 100, 150])
    stop()
  })

  it('is pulled at once when its owner says that there is something new, and not for another feed', async () => {
    const { sentAt, publish, pass, stop } = pulledFeed()
    await pass(70)
    publish('exchange')
    expect(sentAt).toEqual([50])
    publish('registry')
    expect(sentAt).toEqual([50, 70])
    stop()
  })

  // Seen to fail when it was left to the next tick: a revocation that came just after a pull took 50 ms more.
  it('is pulled 10 ms after the last pull for what came sooner after it, once for all of it', async () => {
    const { sentAt, publish, pass, stop } = pulledFeed()
    await pass(52)
    for (let times = 0; times < 100; times += 1) publish('registry')
    await pass(7)
    expect(sentAt).toEqual([50])
    await pass(1)
    expect(sentAt).toEqual([50, 60])
    await pass(39)
    expect(sentAt).toEqual([50, 60])
    stop()
  })

  it('is pulled a hundred times a second at most, whatever is published', async () => {
    const { sentAt, publish, pass, stop } = pulledFeed()
    for (let times = 0; times < 1_000; times += 1) {
      publish('registry')
      await pass(1)
    }
    expect(sentAt.length).toBeGreaterThan(90)
    expect(sentAt.length).toBeLessThanOrEqual(101)
    stop()
  })

  it('is left alone once it is stopped, whatever was on its way', async () => {
    const { sentAt, publish, pass, stop } = pulledFeed()
    await pass(52)
    publish('registry')
    stop()
    expect(vi.getTimerCount()).toBe(0)
    await pass(1_000)
    expect(sentAt).toEqual([50])
  })

  it('hears no hint once it is stopped', async () => {
    const { sentAt, publish, pass, stop } = pulledFeed()
    await pass(70)
    stop()
    publish('registry')
    await pass(1_000)
    expect(sentAt).toEqual([50])
  })
})
