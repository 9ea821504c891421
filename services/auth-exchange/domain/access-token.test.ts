import { describe, expect, it } from 'vitest'
import { CEILING_SECONDS, lastExpireTime, lifeFrom, renewedLife } from './access-token.js'

const START = Date.UTC(2026, 0, 1)
const at = (seconds: number): Date => new Date(START + seconds * 1000)
const lineage = (ttl: number, maxTtl: number) => lifeFrom(at(0), { accessTokenTtlSeconds: ttl, accessTokenMaxTtlSeconds: maxTtl, accessTokenPeriodSeconds: null })
const endOf = (seconds: number, life = lineage(60, 100)): number => (renewedLife(life, at(seconds)).expireTime.getTime() - START) / 1000

describe('a renewal', () => {
  it.each([[0, 60], [1, 61], [39.999, 99], [40, 100], [41, 100], [99, 100], [99.999, 100]])('%s s after the login ends %s s after it', (seconds, end) => {
    expect(endOf(seconds)).toBe(end)
  })

  // Renewing close to the maximum is where others gave tokens that never end. Seen to fail without the maximum.
  it('never ends beyond the maximum, however close to it and however often', () => {
    let life = lineage(60, 100)
    const ends = new Set<number>()
    for (let millis = 98_000; millis <= 102_000; millis += 1) {
      life = renewedLife(life, new Date(START + millis))
      ends.add(life.expireTime.getTime())
    }
    expect([...ends]).toEqual([at(100).getTime()])
    expect(life).toMatchObject({ issueTime: at(0), maxExpireTime: at(100), ttlSeconds: 60, renewTime: at(102) })
  })

  it('never ends beyond what this version allows, whatever an earlier one allowed', () => {
    const life = { ...lineage(60, 60), maxExpireTime: at(2 * CEILING_SECONDS) }
    expect(lastExpireTime(life)).toEqual(at(CEILING_SECONDS))
    expect(endOf(CEILING_SECONDS - 1, life)).toBe(CEILING_SECONDS)
  })

  it('of a lineage without a TTL on record lives as long as its first token did, each time', () => {
    const first = renewedLife({ ...lineage(60, 1000), ttlSeconds: null }, at(30))
    expect([first.ttlSeconds, first.expireTime, renewedLife(first, at(80)).expireTime]).toEqual([60, at(90), at(140)])
  })
})
