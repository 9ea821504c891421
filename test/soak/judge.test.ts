import { describe, expect, it } from 'vitest'
import { judge } from './judge.js'
import type { Asked, Life, Observed, Sample, Work } from './observed.js'
import { slopeOf } from './slope.js'

const MEGABYTE = 1024 ** 2

/** Some garbage comes and goes all the time, the same in each run. */
const garbage = (second: number): number => ((second * 37) % 11) * MEGABYTE

function lifeOf({ seconds = 240, megabytesPerMinute = 0, descriptorsPerMinute = 0 }): Life {
  const samples = Array.from({ length: seconds }, (_one, second): Sample => ({
    at: second * 1_000,
    rssBytes: 90 * MEGABYTE + garbage(second) + (second / 60) * megabytesPerMinute * MEGABYTE,
    descriptors: 40 + (second % 3) + Math.floor((second / 60) * descriptorsPerMinute),
    loopDelayMillis: 12,
  }))
  return { name: 'registry', pid: 7, samples }
}

const good: Work = { stream: 'Login', sent: 1_000, millis: 3 }
const failed = (sent: number, kind = 'UNAVAILABLE'): Work => ({ ...good, sent, error: { kind, text: kind } })
const allowed: Asked = { question: 'read', sent: 1_000, answer: 'allow', due: 'allow' }
const refused: Asked = { question: 'revoked', sent: 2_000, answer: 'rejected', due: 'rejected', revoked: 1_500 }
const kill = { kind: 'kill', target: 'registry', from: 10_000, to: 12_000 }

const observed = (of: Partial<Observed> = {}): Observed => ({ boundMillis: 250, work: [good], asked: [allowed, refused], disturbances: [kill], lives: [lifeOf({})], ...of })
const faultsOf = (of: Partial<Observed>) => judge(observed(of)).faults

describe('the judge of a soak', () => {
  it('finds nothing where all is well', () => expect(judge(observed()).faults).toEqual([]))

  it.each([
    ['an allowed question that is denied', { ...allowed, answer: 'deny' }, 1],
    ['a good token that is rejected', { ...allowed, answer: 'rejected' }, 1],
    ['a revoked token that is allowed after the bound', { ...refused, answer: 'allow', sent: 1_750 }, 1],
    ['one that is allowed just before', { ...refused, answer: 'allow', sent: 1_749 }, 0],
  ] as const)('sees %s', (_what, asked, wrong) => expect(judge(observed({ asked: [refused, asked] })).wrong).toHaveLength(wrong))

  it.each([
    ['before a fault', failed(9_900), 1],
    ['that was under way when it began', failed(9_998), 0],
    ['soon after it', failed(16_999), 0],
    ['long after it', failed(17_001), 1],
    ['in it, of a kind that no fault may cause', failed(11_000, 'UNAUTHENTICATED'), 1],
  ])('asks for an explanation of an error %s', (_what, work, unexplained) => {
    expect(faultsOf({ work: [good, work] })).toEqual(unexplained === 1 ? ['1 errors that no fault explains'] : [])
  })

  it.each([
    ['memory', { megabytesPerMinute: 3 }, /^registry \(7\) grows by 3\.\d MB a minute$/],
    ['descriptors', { descriptorsPerMinute: 4 }, /^registry \(7\) keeps (3\.9|4\.\d) more descriptors a minute$/],
  ])('sees a leak of %s through the garbage', (_what, leak, told) => expect(faultsOf({ lives: [lifeOf(leak)] })).toEqual([expect.stringMatching(told)]))

  it('takes no pool that fills again for a leak', () => {
    const refilled = lifeOf({ seconds: 300 }).samples.map((sample, second) => ({ ...sample, descriptors: 60 - (second > 160 && second < 260 ? 30 - (second - 160) / 4 : 0) }))
    expect(faultsOf({ lives: [{ ...lifeOf({}), samples: refilled }] })).toEqual([])
  })

  it('takes no warming up for a leak, nor what is too short to tell', () => {
    const warming = lifeOf({}).samples.map((sample) => ({ ...sample, rssBytes: sample.rssBytes - Math.max(0, 50_000 - sample.at) * 1_000 }))
    expect(faultsOf({ lives: [{ ...lifeOf({}), samples: warming }, lifeOf({ seconds: 20, megabytesPerMinute: 60 })] })).toEqual([])
  })

  it.each([
    ['no call was answered', { work: [failed(11_000)] }],
    ['nobody asked about a revoked token', { asked: [allowed] }],
    ['nothing was disturbed', { disturbances: [] }],
    ['no process was looked at', { lives: [] }],
  ])('proves nothing where %s', (what, of) => expect(faultsOf(of)).toEqual([`proved nothing: ${what}`]))
})

describe('a slope', () => {
  it('is exact on a line, and says how sure it is', () => {
    const line = Array.from({ length: 120 }, (_one, second) => ({ at: second * 1_000, value: 5 + second / 30 }))
    expect(slopeOf(line)).toMatchObject({ perMinute: expect.closeTo(2, 5), windows: 12 })
    expect(slopeOf(line)?.give).toBeLessThan(0.001)
    const noisy = line.map((point, place) => ({ ...point, value: point.value + ((place * place) % 17) + (Math.floor(place / 10) % 3) * 4 }))
    expect(slopeOf(noisy)?.give).toBeGreaterThan(1)
  })

  it('is none of less than a minute', () => expect(slopeOf(Array.from({ length: 50 }, (_one, at) => ({ at: at * 1_000, value: at })))).toBeUndefined())
})
