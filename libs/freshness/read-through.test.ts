import { describe, expect, it } from 'vitest'
import { entryAt, EPOCH, handClock, handFeed, OTHER_EPOCH, outgoing, settle, watch } from '../../test/support/hand-feed.js'
import { monotonicMillis } from '../clock.js'
import { DomainError } from '../domain-error.js'
import { entryCache } from './entry-cache.js'
import { type Place, readThrough } from './read-through.js'
import type { Entry } from './stamp.js'

type Load = { readonly key: string; readonly withinMillis: number; answer(entry: Entry<string>): Promise<void>; refuse(error: DomainError): Promise<void> }

const unknown = () => new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED', 'The access token was rejected.')
const down = () => new DomainError('UNAVAILABLE', 'PEER_UNAVAILABLE', 'A service could not be reached in time.')

/** A reader over a feed that was pulled up to 7, an owner that answers when told, and a store that gives what it holds. */
async function reading({ withStore = true } = {}) {
  const clock = handClock()
  const hand = handFeed(clock)
  hand.feed.tick()
  await hand.answer(7)
  const loads: Load[] = []
  const stored = new Map<string, Entry<string>>()
  const places: Place[] = []
  const memory = entryCache<string>(1_000_000)
  const reader = readThrough<string, string>({
    feed: hand.feed,
    memory,
    shared: withStore ? { find: async (key) => stored.get(key), keep: (key, entry) => void stored.set(key, entry) } : undefined,
    ask: (key, { deadline }) =>
      new Promise((resolve, reject) => {
        loads.push({
          key,
          withinMillis: deadline - monotonicMillis(),
          answer: (entry) => {
            resolve(entry)
            return settle()
          },
          refuse: (error) => {
            reject(error)
            return settle()
          },
        })
      }),
    nameOf: (key) => key,
    costOf: (account) => ({ account, bytes: 10 }),
    on: { found: (place) => void places.push(place) },
  })
  const read = async (key: string) => {
    const watched = watch(reader.read(key, outgoing))
    await settle()
    return watched
  }
  return { ...hand, hand, clock, loads, stored, places, memory, reader, read }
}

const as = (entry: Entry<string>) => ({ value: entry })
const cost = { account: 'key', bytes: 10 }

describe('what is read', () => {
  it('comes from memory where it may be used, and nobody else is asked', async () => {
    const { memory, read, places, loads, reader } = await reading()
    memory.admit('key', entryAt(7, 'kept'), cost)
    expect((await read('key')).outcome).toEqual(as(entryAt(7, 'kept')))
    expect(reader.near('key')).toEqual(entryAt(7, 'kept'))
    expect([places, loads]).toEqual([['memory', 'memory'], []])
  })

  it('comes from the store, and is in memory from then on', async () => {
    const { stored, read, places } = await reading()
    stored.set('key', entryAt(7, 'stored'))
    expect((await read('key')).outcome).toEqual(as(entryAt(7, 'stored')))
    expect((await read('key')).outcome).toEqual(as(entryAt(7, 'stored')))
    expect(places).toEqual(['redis', 'memory'])
  })

  it('comes from the owner, and is in the store and in memory from then on', async () => {
    const { loads, stored, read, places, memory } = await reading()
    const first = await read('key')
    expect(loads[0]?.withinMillis).toBeLessThanOrEqual(1_000)
    await loads[0]?.answer(entryAt(7, 'loaded'))
    expect(first.outcome).toEqual(as(entryAt(7, 'loaded')))
    expect([stored.get('key'), memory.find('key')]).toEqual([entryAt(7, 'loaded'), entryAt(7, 'loaded')])
    expect((await read('key')).outcome).toEqual(as(entryAt(7, 'loaded')))
    expect(places).toEqual(['owner', 'memory'])
  })

  it('is known as it was last, whether it may be used or not', async () => {
    const { memory, reader } = await reading()
    memory.admit('key', entryAt(3, 'old'), cost)
    expect(reader.near('key')).toBeUndefined()
    expect(reader.last('key')).toEqual(entryAt(3, 'old'))
  })
})

describe('what may not be used', () => {
  // Whatever the store holds, it causes a miss at most. Seen to fail with what the store gives taken as it is.
  it.each([
    ['is older than the window', entryAt(6, 'stored')],
    ['is of another epoch', entryAt(7, 'stored', { epoch: OTHER_EPOCH })],
  ])('of the store, since it %s, is a miss that nobody waits for', async (_why, entry) => {
    const { stored, read, loads, pulls } = await reading()
    stored.set('key', entry)
    const waiting = await read('key')
    expect([pulls.length, loads.length]).toEqual([1, 1])
    await loads[0]?.answer(entryAt(7, 'loaded'))
    expect(waiting.outcome).toEqual(as(entryAt(7, 'loaded')))
  })

  // Seen to fail with what is in memory taken as it is.
  it('of memory, since it changed, is read again', async () => {
    const { memory, feed, answer, read, loads } = await reading()
    memory.admit('key', entryAt(7, 'old'), cost)
    feed.tick()
    await answer(8, { changes: [{ seq: 8, entities: ['identity/1'] }] })
    const waiting = await read('key')
    await loads[0]?.answer(entryAt(8, 'new'))
    expect(waiting.outcome).toEqual(as(entryAt(8, 'new')))
  })

  // Seen to fail with what was loaded taken as it is.
  it('of the owner, since it changed while it was loaded, is loaded again', async () => {
    const { feed, answer, read, loads } = await reading()
    const waiting = await read('key')
    feed.tick()
    await answer(8, { changes: [{ seq: 8, entities: ['identity/1'] }] })
    await loads[0]?.answer(entryAt(7, 'old'))
    expect(waiting.outcome).toBe('waits')
    await loads[1]?.answer(entryAt(8, 'new'))
    expect(waiting.outcome).toEqual(as(entryAt(8, 'new')))
  })

  // An answer shows no more than its revision. Seen to fail with what is ahead taken as it is.
  it.each(['redis', 'owner'])('of the %s, since it is newer than what was pulled, waits for a pull', async (place) => {
    const { feed, stored, read, loads, pulls, answer } = await reading()
    if (place === 'redis') stored.set('key', entryAt(9, 'newer'))
    const waiting = await read('key')
    if (place === 'owner') await loads[0]?.answer(entryAt(9, 'newer'))
    expect(waiting.outcome).toBe('waits')
    expect(pulls).toHaveLength(2)
    await answer(9, { changes: [{ seq: 8, entities: [] }, { seq: 9, entities: ['identity/1'] }] })
    expect(waiting.outcome).toEqual(as(entryAt(9, 'newer')))
    expect(feed.position.seq).toBe(9)
  })

  it('of the store, since what was pulled for it made it stale, is a miss', async () => {
    const { stored, read, loads, answer } = await reading()
    stored.set('key', entryAt(8, 'newer'))
    const waiting = await read('key')
    await answer(9, { changes: [{ seq: 8, entities: [] }, { seq: 9, entities: ['identity/1'] }] })
    await loads[0]?.answer(entryAt(9, 'newest'))
    expect(waiting.outcome).toEqual(as(entryAt(9, 'newest')))
  })

  it('of the owner, since it is of an epoch that was not heard of, waits for a pull', async () => {
    const { read, loads, pulls, answer } = await reading()
    const waiting = await read('key')
    await loads[0]?.answer(entryAt(3, 'after a failover', { epoch: OTHER_EPOCH }))
    expect(pulls).toHaveLength(2)
    await answer(3, { epoch: OTHER_EPOCH })
    expect(waiting.outcome).toEqual(as(entryAt(3, 'after a failover', { epoch: OTHER_EPOCH })))
  })

  it('is given up after ten loads, as CHANGES_TOO_FAST, which is no word about the token', async () => {
    const { read, loads } = await reading()
    const waiting = await read('key')
    for (let at = 0; at < 10; at += 1) await loads[at]?.answer(entryAt(6, 'old'))
    expect(loads).toHaveLength(10)
    expect(waiting.outcome).toMatchObject({ error: { kind: 'UNAVAILABLE', reason: 'CHANGES_TOO_FAST' } })
  })
})

describe('loads of one key', () => {
  it('are one, whoever waits for it', async () => {
    const { read, loads } = await reading()
    const all = [await read('key'), await read('key'), await read('other')]
    expect(loads.map(({ key }) => key)).toEqual(['key', 'other'])
    await loads[0]?.answer(entryAt(7, 'loaded'))
    expect(all.map(({ outcome }) => outcome)).toEqual([as(entryAt(7, 'loaded')), as(entryAt(7, 'loaded')), 'waits'])
  })

  // What an earlier load did not find may have been made since: a good token is never refused for it. Seen to fail with
  // the refusal of a load that was begun before the call.
  it('refuse only whoever called before they began', async () => {
    const { read, loads } = await reading()
    const early = await read('key')
    const [late, later] = [await read('key'), await read('key')]
    await loads[0]?.refuse(unknown())
    expect(early.outcome).toMatchObject({ error: { kind: 'UNAUTHENTICATED' } })
    expect([late.outcome, later.outcome]).toEqual(['waits', 'waits'])
    expect(loads).toHaveLength(2)
    await loads[1]?.answer(entryAt(7, 'issued meanwhile'))
    expect([late.outcome, later.outcome]).toEqual([as(entryAt(7, 'issued meanwhile')), as(entryAt(7, 'issued meanwhile'))])
  })

  it('that fail otherwise fail for all who wait, and the next call loads anew', async () => {
    const { read, loads } = await reading()
    const both = [await read('key'), await read('key')]
    await loads[0]?.refuse(down())
    for (const { outcome } of both) expect(outcome).toMatchObject({ error: { kind: 'UNAVAILABLE' } })
    await read('key')
    expect(loads).toHaveLength(2)
  })

  it('that are refused leave nothing behind', async () => {
    const { read, loads, stored, memory } = await reading()
    await read('key')
    await loads[0]?.refuse(unknown())
    expect([stored.size, memory.bytes]).toEqual([0, 0])
  })
})

describe('loads of many keys', () => {
  it('are 32 at once, and the others wait for their turn', async () => {
    const { read, loads } = await reading({ withStore: false })
    for (let at = 0; at < 40; at += 1) await read(`key-${at}`)
    expect(loads).toHaveLength(32)
    await loads[0]?.answer(entryAt(7, 'loaded'))
    expect(loads).toHaveLength(33)
  })

  it('are refused as OVERLOADED where two thousand wait', async () => {
    const { reader, read, loads } = await reading({ withStore: false })
    const all = Array.from({ length: 2_032 }, (_, at) => watch(reader.read(`key-${at}`, outgoing)))
    await settle()
    expect(loads).toHaveLength(32)
    expect((await read('one more')).outcome).toMatchObject({ error: { kind: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' } })
    expect((await read('key-0')).outcome).toBe('waits')
    expect(all.every(({ outcome }) => outcome === 'waits')).toBe(true)
  })
})

describe('a reader without a store', () => {
  it('asks the owner for what is not in memory', async () => {
    const { read, loads } = await reading({ withStore: false })
    const waiting = await read('key')
    await loads[0]?.answer(entryAt(7, 'loaded', { epoch: EPOCH }))
    expect(waiting.outcome).toEqual(as(entryAt(7, 'loaded')))
  })
})
