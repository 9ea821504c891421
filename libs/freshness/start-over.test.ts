import { describe, expect, it } from 'vitest'
import { entryAt, handClock, handFeed } from '../../test/support/hand-feed.js'
import { entryCache } from './entry-cache.js'
import { readThrough } from './read-through.js'

describe('what is in memory', () => {
  // A head that went back comes by the stamps of a history that was lost; the epoch should have changed, and this is the
  // belt for when it did not. Seen to fail without the memory cleared.
  it('is void when the replica has to start over, also where the numbers come by again', async () => {
    const hand = handFeed(handClock())
    hand.feed.tick()
    await hand.answer(7)
    const memory = entryCache<string>(1_000_000)
    const costOf = () => ({ account: 'one', bytes: 10 })
    const reader = readThrough<string, string>({ feed: hand.feed, memory, shared: undefined, ask: () => Promise.reject(new Error('nobody is there')), nameOf: (key) => key, costOf })
    memory.admit('key', entryAt(7, 'of the lost history'), costOf())
    expect(reader.near('key')).toBeDefined()
    hand.feed.tick()
    await hand.answer(3)
    expect(reader.near('key')).toBeUndefined()
    hand.feed.tick()
    await hand.answer(8, { changes: [4, 5, 6, 7, 8].map((seq) => ({ seq, entities: [] })) })
    expect(reader.near('key')).toBeUndefined()
  })
})
