import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entryAt } from '../../test/support/hand-feed.js'
import { type EntryCache, entryCache } from './entry-cache.js'

const MAX_BYTES = 100_000
/** What one account can fill, and what an entry takes beside its value. */
const SHARE = MAX_BYTES / 50
const OVERHEAD = 600

const admit = (cache: EntryCache<string>, key: string, { account = key, bytes = 100, seq = 1 } = {}): void => cache.admit(key, entryAt(seq, key), { account, bytes })
const found = (cache: EntryCache<string>, ...keys: string[]): string[] => keys.filter((key) => cache.find(key))

describe('a cache of entries', () => {
  it('finds what was admitted last under a key, until it is dropped', () => {
    const cache = entryCache<string>(MAX_BYTES)
    expect(cache.find('a')).toBeUndefined()
    admit(cache, 'a')
    admit(cache, 'a', { seq: 2 })
    expect(cache.find('a')).toEqual(entryAt(2, 'a'))
    cache.drop('a')
    expect(cache.find('a')).toBeUndefined()
    expect(cache.bytes).toBe(0)
  })

  it('counts what an entry takes beside its value', () => {
    const cache = entryCache<string>(MAX_BYTES)
    admit(cache, 'a', { bytes: 50 })
    expect(cache.bytes).toBe(50 + OVERHEAD)
  })

  it('drops what was not used for longest when it is full', () => {
    const cache = entryCache<string>(MAX_BYTES)
    const fits = Math.floor(MAX_BYTES / (OVERHEAD + 100))
    const keys = Array.from({ length: fits + 1 }, (_, at) => `key-${at}`)
    for (const key of keys.slice(0, -1)) admit(cache, key)
    cache.find('key-0')
    admit(cache, `key-${fits}`)
    expect(found(cache, ...keys)).toEqual(keys.filter((key) => key !== 'key-1'))
  })

  // Asking for a million things that nobody else wants flushes nothing of anybody else's. Seen to fail without the share,
  // and without the bytes taken off where an entry goes.
  it('keeps what others asked for, whatever one of them asks for', () => {
    const cache = entryCache<string>(MAX_BYTES)
    for (const other of ['a', 'b', 'c']) admit(cache, other)
    for (let count = 0; count < 1_000; count += 1) admit(cache, `junk-${count}`, { account: 'greedy' })
    expect(found(cache, 'a', 'b', 'c')).toEqual(['a', 'b', 'c'])
    expect(cache.bytes).toBeLessThanOrEqual(3 * (OVERHEAD + 100) + SHARE)
    expect(found(cache, 'junk-998', 'junk-999')).toEqual(['junk-998', 'junk-999'])
  })

  it('does not keep what would take more than an account may fill', () => {
    const cache = entryCache<string>(MAX_BYTES)
    admit(cache, 'small')
    admit(cache, 'large', { bytes: SHARE })
    expect(found(cache, 'small', 'large')).toEqual(['small'])
    admit(cache, 'just right', { bytes: SHARE - OVERHEAD })
    expect(found(cache, 'small', 'just right')).toEqual(['small', 'just right'])
  })

  it('gives an account its room back when what it asked for is gone', () => {
    const cache = entryCache<string>(MAX_BYTES)
    for (let count = 0; count < 10; count += 1) {
      admit(cache, 'first', { account: 'one', bytes: SHARE - OVERHEAD })
      cache.drop('first')
    }
    admit(cache, 'second', { account: 'one', bytes: SHARE - OVERHEAD })
    expect(found(cache, 'second')).toEqual(['second'])
  })

  // Whatever is admitted, found and dropped, by whomever. Seen to fail without the share.
  it('never takes more than its bytes, nor any account more than its share', () => {
    const act = fc.record({ what: fc.constantFrom('admit', 'admit', 'admit', 'find', 'drop'), key: fc.nat(40), account: fc.nat(4), bytes: fc.nat(1_500) })
    fc.assert(
      fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
        const cache = entryCache<string>(MAX_BYTES)
        const last = new Map<string, { account: string; bytes: number }>()
        for (const { what, key: number, account: who, bytes } of acts) {
          const [key, account] = [`${who}-${number}`, `account-${who}`]
          if (what === 'admit') {
            admit(cache, key, { account, bytes })
            if (bytes + OVERHEAD <= SHARE) last.set(key, { account, bytes: bytes + OVERHEAD })
          } else if (what === 'drop') cache.drop(key)
          else cache.find(key)
        }
        const kept = [...last].filter(([key]) => cache.find(key)).map(([, one]) => one)
        const taken = (of: typeof kept) => of.reduce((sum, { bytes }) => sum + bytes, 0)
        expect(cache.bytes).toBe(taken(kept))
        expect(cache.bytes).toBeLessThanOrEqual(MAX_BYTES)
        for (const { account } of kept) expect(taken(kept.filter((one) => one.account === account))).toBeLessThanOrEqual(SHARE)
      }),
    )
  })
})
