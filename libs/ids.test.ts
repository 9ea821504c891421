import { describe, expect, it } from 'vitest'
import { manualClock } from '../test/support/manual-clock.js'
import { createIds, isId } from './ids.js'

const START = 0x0190_1234_5678

const clockAt = (millis: number) => manualClock(new Date(millis))
const take = (count: number, ids = createIds(clockAt(START))) => Array.from({ length: count }, () => ids.next())
const millisOf = (id: string) => parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

describe('an id', () => {
  it('is a UUIDv7 of RFC 9562: 48 bits of milliseconds, version 7, variant 10', () => {
    expect(take(1)[0]).toMatch(/^01901234-5678-7000-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it.each([[0, '7000'], [1, '7001'], [0xabc, '7abc'], [0xfff, '7fff']] as const)(
    'of cell %i bears it in the 12 bits after the version',
    (cell, group) => {
      expect(createIds(clockAt(START), cell).next().split('-')[2]).toBe(group)
    },
  )

  it.each([0, 1, 0x7fff_ffff, 0xffff_ffff_fffe])('made at millisecond %i says so and is an id', (millis) => {
    const id = createIds(clockAt(millis)).next()
    expect(millisOf(id)).toBe(millis)
    expect(isId(id)).toBe(true)
  })
})

describe('the ids of a process', () => {
  it('are all different and in order, 16 384 of them within a millisecond and as many more as are asked for', () => {
    const ids = take(50_000)
    expect(new Set(ids).size).toBe(50_000)
    expect(ids).toEqual([...ids].sort())
    expect(ids.every(isId)).toBe(true)
    expect(ids.filter((id) => millisOf(id) === START)).toHaveLength(16_384)
    expect(millisOf(ids.at(-1) ?? '')).toBeLessThanOrEqual(START + 4)
  })

  it('go on in order when the clock stands still, jumps ahead, or is set back', () => {
    const clock = clockAt(START)
    const ids = createIds(clock)
    const made = [0, 0, 1, 0, -5_000, 0, 1, 60_000, -1, 0].flatMap((millis) => {
      clock.advance(millis)
      return take(20_000, ids)
    })
    expect(made).toEqual([...made].sort())
    expect(new Set(made).size).toBe(made.length)
  })

  it('differ from those of another process of the same millisecond and cell', () => {
    const [mine, theirs] = [take(1_000), take(1_000)]
    expect(new Set([...mine, ...theirs]).size).toBe(2_000)
  })
})

describe('an id has one spelling', () => {
  const id = '01901234-5678-7abc-8def-0123456789ab'

  it('which is accepted', () => {
    expect(isId(id)).toBe(true)
  })

  it.each([
    ['upper case', id.toUpperCase()],
    ['one letter in upper case', id.replace('b', 'B')],
    ['no hyphens', id.replaceAll('-', '')],
    ['braces', `{${id}}`],
    ['a urn', `urn:uuid:${id}`],
    ['a space before', ` ${id}`],
    ['a space after', `${id} `],
    ['a line break after', `${id}\n`],
    ['another version', id.replace('-7abc', '-4abc')],
    ['another variant', id.replace('-8def', '-cdef')],
    ['a digit too few', id.slice(0, -1)],
    ['a digit too many', `${id}0`],
    ['a letter that is no digit', id.replace('a', 'g')],
    ['full-width digits', id.replace('0', '\uff10')],
    ['nothing', ''],
    ['the nil UUID', '00000000-0000-0000-0000-000000000000'],
  ])('and no other: %s', (_what, text) => {
    expect(isId(text)).toBe(false)
  })
})
