import { afterEach, describe, expect, it, vi } from 'vitest'
import { inBatches } from './batches.js'

/** Work that is done when the test says so. */
function byHand(most = 100) {
  const begun: (readonly number[])[] = []
  const ends: { done: (outcomes: readonly string[]) => void; fail: (error: Error) => void }[] = []
  const ask = inBatches<number, string>(most, (items) => {
    begun.push(items)
    return new Promise((done, fail) => ends.push({ done, fail }))
  })
  const endAll = (place: number) => ends[place]?.done((begun[place] ?? []).map(String))
  return { ask, begun, ends, endAll }
}

afterEach(() => vi.useRealTimers())

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('in batches', () => {
  it('does at the end of the turn what is asked for alone, or in one turn', async () => {
    const { ask, begun, endAll } = byHand()
    const one = ask(1)
    await turn()
    expect(begun).toEqual([[1]])
    endAll(0)
    expect(await one).toBe('1')
    const more = [ask(2), ask(3)]
    await turn()
    expect(begun).toEqual([[1], [2, 3]])
    endAll(1)
    expect(await Promise.all(more)).toEqual(['2', '3'])
  })

  it('does together what is asked for meanwhile, each with its own outcome', async () => {
    const { ask, begun, endAll } = byHand()
    const first = ask(1)
    await turn()
    const answers = [first, ...[2, 3, 4].map(ask)]
    expect(begun).toEqual([[1]])
    endAll(0)
    await turn()
    await turn()
    expect(begun).toEqual([[1], [2, 3, 4]])
    endAll(1)
    expect(await Promise.all(answers)).toEqual(['1', '2', '3', '4'])
  })

  it('does no more at once than it may', async () => {
    const { ask, begun, endAll } = byHand(2)
    const answers = [1, 2, 3, 4].map(ask)
    for (const place of [0, 1]) {
      await turn()
      await turn()
      endAll(place)
    }
    expect(begun).toEqual([[1, 2], [3, 4]])
    expect(await Promise.all(answers)).toEqual(['1', '2', '3', '4'])
  })

  // A secret that somebody has locked would otherwise end the logins of everybody else. Seen to fail without the patience.
  it('holds nobody up where one waits for a lock, and each has its own outcome in the end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { ask, begun, endAll } = byHand()
    const locked = ask(1)
    await turn()
    const later = ask(2)
    vi.advanceTimersByTime(24)
    await turn()
    expect(begun).toEqual([[1]])
    vi.advanceTimersByTime(1)
    await turn()
    expect(begun).toEqual([[1], [2]])
    const latest = ask(3)
    endAll(1)
    expect(await later).toBe('2')
    await turn()
    expect(begun).toEqual([[1], [2], [3]])
    endAll(0)
    endAll(2)
    expect([await locked, await latest]).toEqual(['1', '3'])
  })

  it('fails for all of a batch, and goes on', async () => {
    const { ask, ends, endAll } = byHand()
    const lost = Promise.allSettled([ask(1), ask(2)])
    await turn()
    ends[0]?.fail(new Error('lost'))
    expect(await lost).toMatchObject([{ reason: new Error('lost') }, { reason: new Error('lost') }])
    const three = ask(3)
    await turn()
    endAll(1)
    expect(await three).toBe('3')
  })

  it('fails for whom there is no outcome', async () => {
    const { ask, ends } = byHand()
    const one = ask(1)
    await turn()
    ends[0]?.done([])
    await expect(one).rejects.toThrow('less than it was asked')
  })
})
