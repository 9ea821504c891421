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

  // Asking for a million things that nobody else wants flushes hardly anything of anybody else's. Seen to fail without the
  // share, and without the bytes taken off where an entry goes.
  it('keeps what others asked for but for one share, whatever one of them asks for', () => {
    const cache = entryCache<string>(MAX_BYTES)
    const fits = Math.floor(MAX_BYTES / (OVERHEAD + 100))
    const others = Array.from({ length: fits }, (_, at) => `other-${at}`)
    for (const other of others) admit(cache, other)
    for (let count = 0; count < 1_000; count += 1) admit(cache, `junk-${count}`, { account: 'greedy' })
    expect(found(cache, ...others).length * (OVERHEAD + 100)).toBeGreaterThanOrEqual(MAX_BYTES - SHARE - (OVERHEAD + 100))
    expect(found(cache, 'junk-998', 'junk-999')).toEqual(['junk-998', 'junk-999'])
  })

  // Five hundred copies of one workload ask with a token each. Seen to fail with the share held where there is room.
  it('lets one account have what nobody else needs', () => {
    const cache = entryCache<string>(MAX_BYTES)
    const tokens = Array.from({ length: 100 }, (_, at) => `token-${at}`)
    for (const token of tokens) admit(cache, token, { account: 'one' })
    expect(found(cache, ...tokens)).toEqual(tokens)
  })

  it('takes it back from that account, and from nobody else, when it needs room for the same', () => {
    const cache = entryCache<string>(MAX_BYTES)
    admit(cache, 'other')
    for (let at = 0; at < 1_000; at += 1) admit(cache, `token-${at}`, { account: 'one' })
    expect(found(cache, 'other', 'token-0', 'token-999')).toEqual(['other', 'token-999'])
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
  it('never takes more than its bytes, and one account never flushes more of the others than its share', () => {
    // Room for some fifty entries, of which one is an account's share.
    const SMALL_BYTES = 45_000
    const SMALL_SHARE = SMALL_BYTES / 50
    const act = fc.record({ what: fc.constantFrom('admit', 'admit', 'admit', 'find', 'drop'), key: fc.nat(60), account: fc.nat(4), bytes: fc.integer({ min: 100, max: 320 }) })
    fc.assert(
      fc.property(fc.array(act, { maxLength: 400, size: 'max' }), (acts) => {
        const cache = entryCache<string>(SMALL_BYTES)
        const last = new Map<string, { account: string; bytes: number }>()
        // Looks at every key, so that looking favours nobody.
        const takenBy = (is: (account: string) => boolean) => [...last].reduce((sum, [key, one]) => (cache.find(key) && is(one.account) ? sum + one.bytes : sum), 0)
        for (const { what, key: number, account: who, bytes } of acts) {
          const [key, account] = [`${who}-${number}`, `account-${who}`]
          const ofOthers = takenBy((other) => other !== account)
          if (what === 'admit') {
            admit(cache, key, { account, bytes })
            if (bytes + OVERHEAD <= SMALL_SHARE) last.set(key, { account, bytes: bytes + OVERHEAD })
            if (takenBy((one) => one === account) > SMALL_SHARE) expect(takenBy((other) => other !== account)).toBe(ofOthers)
          } else if (what === 'drop') cache.drop(key)
          else cache.find(key)
        }
        expect(cache.bytes).toBe(takenBy(() => true))
        expect(cache.bytes).toBeLessThanOrEqual(SMALL_BYTES)
      }),
      { numRuns: 60 },
    )
  })
})
