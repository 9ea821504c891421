import { describe, expect, it } from 'vitest'
import { EPOCH, entryAt, followedUpTo7, handClock, handFeed, OTHER_EPOCH, pulledUpTo, settle, watch } from '../../test/support/hand-feed.js'


const lapsed = { error: { kind: 'UNAVAILABLE', reason: 'LEASE_LAPSED', metadata: { feed: 'registry' } } }

describe('a follower', () => {
  it('asks for what is after its position, and applies what it is answered', async () => {
    const { feed, pulls, answer, clock } = await followedUpTo7()
    expect(pulls[0]?.after).toEqual({ epoch: '', seq: 0 })
    expect(feed.position).toEqual({ epoch: EPOCH, seq: 7 })
    expect(feed.lease.holds(clock.now())).toBe(true)
    feed.tick()
    expect(pulls[1]?.after).toEqual({ epoch: EPOCH, seq: 7 })
    await answer(8, { changes: [{ seq: 8, entities: ['identity/1'] }] })
    expect(feed.test(entryAt(7, 'old'))).toBe('stale')
    expect(feed.test(entryAt(8, 'new'))).toBe('usable')
  })

  it('says when it had to start over, at its first pull too', async () => {
    const { feed, answer, told } = await followedUpTo7()
    expect(told.startedOver).toBe(1)
    feed.tick()
    await answer(7)
    expect(told.startedOver).toBe(1)
    feed.tick()
    await answer(7, { epoch: OTHER_EPOCH })
    expect(told.startedOver).toBe(2)
  })

  it('counts its lease from when the pull was sent', async () => {
    const { clock, feed, answer } = await followedUpTo7()
    feed.tick()
    clock.pass(100)
    await answer(7)
    expect(feed.lease.ageMillis(clock.now())).toBe(100)
  })

  it('pulls when somebody says that there is something new', async () => {
    const { clock, feed, pulls } = await followedUpTo7()
    clock.pass(10)
    feed.hint()
    expect(pulls).toHaveLength(2)
  })

  // Whoever can publish there could keep every replica pulling. Seen to fail without the gap.
  it('does not pull for each of a flood of hints', async () => {
    const { clock, feed, pulls, answer } = await followedUpTo7()
    for (let times = 0; times < 1_000; times += 1) {
      clock.pass(1)
      feed.hint()
      await answer(7)
    }
    expect(pulls.length).toBeLessThanOrEqual(101)
  })

  // An owner that is far away, or busy, could never be followed if the first answer had to be as quick as the later ones.
  it('waits for its first answer, whose bound it does not know yet', async () => {
    const clock = handClock()
    const { feed, pulls, answer } = handFeed(clock)
    feed.tick()
    for (let passed = 0; passed < 2_000; passed += 50) {
      clock.pass(50)
      feed.tick()
    }
    expect(pulls).toHaveLength(1)
    await answer(7, { boundMillis: 60_000 })
    expect(feed.position.seq).toBe(7)
  })
})

describe('one pull at a time', () => {
  // However many ask and hint, the owner is asked once, and then once more. Seen to fail with every hint sending a pull.
  it('is under way, and at most one more is wanted', async () => {
    const { feed, pulls, answer } = await followedUpTo7()
    for (let times = 0; times < 100; times += 1) feed.hint()
    const asked = Array.from({ length: 100 }, () => watch(feed.pull()))
    feed.tick()
    expect(pulls).toHaveLength(2)
    await answer(7)
    expect(pulls).toHaveLength(3)
    await answer(7)
    expect(pulls).toHaveLength(3)
    expect(asked.every(({ outcome }) => typeof outcome === 'object' && 'value' in outcome)).toBe(true)
  })

  // A head that was read before a call began may lack what was committed before it. Seen to fail with a call that joins the
  // pull under way.
  it('answers only calls that came before it was sent', async () => {
    const { feed, answer } = await followedUpTo7()
    feed.tick()
    const asked = watch(feed.pull())
    await answer(7)
    expect(asked.outcome).toBe('waits')
    await answer(7)
    expect(asked.outcome).toEqual({ value: undefined })
  })

  it('counts as after an order only if it was sent after it', async () => {
    const { feed, answer } = await followedUpTo7()
    feed.tick()
    const order = feed.order()
    await answer(7)
    expect(feed.hasPulledSince(order)).toBe(false)
    feed.tick()
    expect(feed.hasPulledSince(order)).toBe(false)
    await answer(7)
    expect(feed.hasPulledSince(order)).toBe(true)
  })

  // A late reply takes nothing back. Seen to fail with every reply applied, whoever still waits for it.
  it('is given up where it hangs, and its reply is then nothing', async () => {
    const { clock, feed, pulls, answer, told } = await followedUpTo7()
    feed.tick()
    clock.pass(126)
    feed.tick()
    expect(pulls).toHaveLength(3)
    await answer(9, { changes: [{ seq: 8, entities: [] }, { seq: 9, entities: [] }] })
    await pulls[1]?.answer(pulledUpTo(3, { epoch: OTHER_EPOCH, boundMillis: 60_000 }))
    expect(feed.position).toEqual({ epoch: EPOCH, seq: 9 })
    expect(feed.lease.boundMillis).toBe(250)
    expect(told).toEqual({ startedOver: 1, failed: 0, pulled: 2 })
  })

  it('that was given up does not let a late failure end the next one', async () => {
    const { clock, feed, pulls, answer } = await followedUpTo7()
    feed.tick()
    clock.pass(126)
    feed.tick()
    await pulls[1]?.fail()
    feed.tick()
    expect(pulls).toHaveLength(3)
    await answer(8, { changes: [{ seq: 8, entities: [] }] })
    expect(feed.position.seq).toBe(8)
  })

  it('is given up while the lease still has time for another', async () => {
    const { clock, feed, pulls } = await followedUpTo7()
    feed.tick()
    clock.pass(125)
    feed.tick()
    expect(pulls).toHaveLength(2)
    clock.pass(1)
    expect(feed.lease.holds(clock.now())).toBe(true)
    feed.tick()
    expect(pulls).toHaveLength(3)
    expect(pulls[1]?.withinMillis).toBe(125)
  })
})

describe('a pull that fails', () => {
  it('is told, and leaves everything as it was', async () => {
    const { clock, feed, pulls, told } = await followedUpTo7()
    feed.tick()
    await pulls[1]?.fail()
    expect(told.failed).toBe(1)
    expect(feed.position).toEqual({ epoch: EPOCH, seq: 7 })
    expect(feed.lease.holds(clock.now())).toBe(true)
  })

  // An owner that is down is not asked in a loop. Seen to fail with a pull sent again for calls that still wait.
  it('is sent again at once only for what was asked meanwhile, and then at the next tick', async () => {
    const { feed, pulls } = await followedUpTo7()
    const first = watch(feed.pull())
    const second = watch(feed.pull())
    await pulls[1]?.fail()
    expect(pulls).toHaveLength(3)
    await pulls[2]?.fail()
    await settle()
    expect(pulls).toHaveLength(3)
    feed.tick()
    await pulls[3]?.answer(pulledUpTo(7))
    expect([first.outcome, second.outcome]).toEqual([{ value: undefined }, { value: undefined }])
  })

  // Nothing waits for ever. Seen to fail with calls that are never told.
  it('is LEASE_LAPSED to whoever has waited for a second', async () => {
    const { clock, feed, pulls } = await followedUpTo7()
    const asked = watch(feed.pull())
    await pulls[1]?.fail()
    clock.pass(1_000)
    feed.tick()
    await settle()
    expect(asked.outcome).toBe('waits')
    clock.pass(1)
    feed.tick()
    await settle()
    expect(asked.outcome).toMatchObject(lapsed)
  })

  it('keeps nobody from being answered who asked later', async () => {
    const { clock, feed, pulls } = await followedUpTo7()
    const early = watch(feed.pull())
    await pulls[1]?.fail()
    clock.pass(600)
    const late = watch(feed.pull())
    clock.pass(401)
    feed.tick()
    await pulls.at(-1)?.answer(pulledUpTo(7))
    expect(early.outcome).toMatchObject(lapsed)
    expect(late.outcome).toEqual({ value: undefined })
  })
})
