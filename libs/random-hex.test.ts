import { describe, expect, it } from 'vitest'
import { randomHex } from './random-hex.js'

describe('random hex', () => {
  it.each([1, 6, 8, 16, 8192])('has two digits for each of %i bytes', (bytes) => {
    expect(randomHex(bytes)).toMatch(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
  })

  it('is never the same twice, however many pools it takes', () => {
    const drawn = Array.from({ length: 20_000 }, () => randomHex(16))
    expect(new Set(drawn).size).toBe(20_000)
  })

  it('has every bit set about half of the time', () => {
    const bytes = Array.from({ length: 4_000 }, () => Number.parseInt(randomHex(1), 16))
    for (let bit = 0; bit < 8; bit += 1) {
      const set = bytes.filter((byte) => byte & (1 << bit)).length
      // Ten standard deviations.
      expect(Math.abs(set - 2_000)).toBeLessThan(320)
    }
  })
})
