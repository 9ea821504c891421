import { expect, it } from 'vitest'
import { handClock, handFeed } from '../../test/support/hand-feed.js'

// An owner that needs longer would never be heard again if every pull were given up as early. Seen to fail without it.
it('a pull has twice as long as the one before that was given up', async () => {
  const clock = handClock()
  const { feed, pulls, answer } = handFeed(clock)
  feed.tick()
  await answer(7)
  feed.tick()
  for (let passed = 0; passed < 4_000; passed += 25) {
    clock.pass(25)
    feed.tick()
  }
  expect(pulls.slice(1).map(({ withinMillis }) => withinMillis)).toEqual([125, 250, 500, 1_000, 1_000, 1_000])
  await answer(7)
  feed.tick()
  expect(pulls.at(-1)?.withinMillis).toBe(125)
})
