import { describe, expect, it } from 'vitest'
import { followedUpTo7, watch } from '../../test/support/hand-feed.js'
import type { Follower } from './follower.js'

describe('a follower that nobody asks', () => {
  it('stops to pull after five seconds', async () => {
    const { clock, feed, pulls } = await followedUpTo7()
    clock.pass(5_001)
    feed.tick()
    expect(pulls).toHaveLength(1)
  })

  it('goes on for whoever asks again, with a pull that was sent after the question', async () => {
    const { clock, feed, answer } = await followedUpTo7()
    clock.pass(60_000)
    feed.tick()
    const asked = watch(feed.pull())
    expect(feed.lease.holds(clock.now())).toBe(false)
    await answer(7)
    expect(asked.outcome).toEqual({ value: undefined })
    expect(feed.lease.holds(clock.now())).toBe(true)
  })

  it('goes on while questions are answered from memory', async () => {
    const { clock, feed, pulls } = await followedUpTo7()
    clock.pass(4_000)
    feed.isUsed(clock.now())
    clock.pass(4_000)
    feed.tick()
    expect(pulls).toHaveLength(2)
  })

  it('does not stop while somebody waits', async () => {
    const { clock, feed, pulls } = await followedUpTo7()
    watch(feed.pull())
    await pulls[1]?.fail()
    clock.pass(999)
    feed.tick()
    expect(pulls).toHaveLength(3)
  })

  // It costs its machine nothing, and whatever needs time to be watched begins with a wake.
  it.each([
    ['a question', (feed: Follower) => void watch(feed.pull())],
    ['one that is answered from memory', (feed: Follower) => feed.isUsed({ monotonic: 61_000, wall: 0 })],
    ['a hint', (feed: Follower) => feed.hint()],
  ])('rests, and is woken once by %s', async (_, ask) => {
    const { clock, feed } = await followedUpTo7()
    let woken = 0
    const wake = () => {
      woken += 1
    }
    expect(feed.rest(wake)).toBe(false)
    clock.pass(60_000)
    feed.tick()
    expect(feed.rest(wake)).toBe(true)
    ask(feed)
    ask(feed)
    expect(woken).toBe(1)
    expect(feed.rest(wake)).toBe(false)
  })
})
