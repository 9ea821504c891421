import { describe, expect, it } from 'vitest'
import { parseMoment, parsePastMoment, parseSeconds } from './duration.js'

describe('parseSeconds', () => {
  it.each([['0', 0], ['90', 90], ['45s', 45], ['10m', 600], ['1h', 3600], ['2d', 172_800]] as const)('reads %s as %d', (text, seconds) =>
    expect(parseSeconds(text)).toBe(seconds))

  it.each(['', '1.5h', '-1', 'h', '1w', '1h30m', ' 1h', '1e3', '12345678901'])('refuses %j', (text) =>
    expect(() => parseSeconds(text)).toThrow(/length of time/))
})

describe('parseMoment', () => {
  const now = new Date('2026-03-01T12:00:00Z')

  it.each([
    ['2h', '2026-03-01T14:00:00.000Z'],
    ['1d', '2026-03-02T12:00:00.000Z'],
    ['2026-03-05T10:00:00Z', '2026-03-05T10:00:00.000Z'],
    ['2026-03-05T10:00:00.25+02:00', '2026-03-05T08:00:00.250Z'],
  ])('reads %s', (text, expected) => expect(parseMoment(text, now).toISOString()).toBe(expected))

  it.each(['3600', '2026-03-05', '2026-03-05T10:00:00', '2026-02-30T10:00:00Z', '2026-03-05T25:00:00Z', 'tomorrow'])('refuses %j', (text) =>
    expect(() => parseMoment(text, now)).toThrow(/is not a time/))
})

describe('parsePastMoment', () => {
  const now = new Date('2030-01-31T09:00:00Z')

  it.each([['2h', '2030-01-31T07:00:00.000Z'], ['2030-01-30T09:00:00Z', '2030-01-30T09:00:00.000Z']])('reads %s as %s', (text, moment) =>
    expect(parsePastMoment(text, now).toISOString()).toBe(moment))

  it('refuses what is no time', () => expect(() => parsePastMoment('yesterday', now)).toThrow(/length of time ago/))
})
