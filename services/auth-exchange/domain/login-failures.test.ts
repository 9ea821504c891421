import { describe, expect, it } from 'vitest'
import { type FailedLogin, failureTallies } from './login-failures.js'

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1) + seconds * 1000)
const failed = (more: Partial<FailedLogin> = {}): FailedLogin => ({ clientId: 'client', method: 'universal-auth', source: '192.0.2.1', reason: 'wrong', throttled: false, ...more })

describe('failures', () => {
  it('are counted by client, method and true reason', () => {
    const tallies = failureTallies()
    tallies.add(failed(), at(1))
    tallies.add(failed({ source: '192.0.2.2', throttled: true }), at(2))
    tallies.add(failed({ reason: 'unknown' }), at(3))
    tallies.add(failed({ clientId: 'another' }), at(4))
    tallies.add(failed({ method: 'jwt-auth', reason: 'unproven', detail: 'expired' }), at(5))
    tallies.add(failed({ method: 'jwt-auth', reason: 'unproven', detail: 'signature wrong' }), at(6))
    const one = { clientId: 'client', method: 'universal-auth', reason: 'wrong', count: 1, throttled: 0, sources: ['192.0.2.1'], firstTime: at(1), lastTime: at(1) }
    expect(tallies.take()).toEqual([
      { ...one, count: 2, throttled: 1, sources: ['192.0.2.1', '192.0.2.2'], lastTime: at(2) },
      { ...one, clientId: 'another', firstTime: at(4), lastTime: at(4) },
      { ...one, reason: 'unknown', firstTime: at(3), lastTime: at(3) },
      { ...one, method: 'jwt-auth', reason: 'unproven', detail: 'expired', firstTime: at(5), lastTime: at(5) },
      { ...one, method: 'jwt-auth', reason: 'unproven', detail: 'signature wrong', firstTime: at(6), lastTime: at(6) },
    ])
    expect(tallies.take()).toEqual([])
  })

  it('name the first five sources, however many there were', () => {
    const tallies = failureTallies()
    for (let place = 0; place < 1_000; place += 1) tallies.add(failed({ source: `192.0.2.${place % 100}` }), at(0))
    expect(tallies.take()).toMatchObject([{ count: 1_000, sources: [0, 1, 2, 3, 4].map((place) => `192.0.2.${place}`) }])
  })

  it('that could not be written are counted on with those that came since', () => {
    const tallies = failureTallies()
    tallies.add(failed(), at(1))
    const taken = tallies.take()
    tallies.add(failed({ source: '192.0.2.2' }), at(2))
    tallies.putBack(taken)
    expect(tallies.take()).toMatchObject([{ count: 2, sources: ['192.0.2.2', '192.0.2.1'], firstTime: at(1), lastTime: at(2) }])
  })

  // Seen to fail with one limit for all.
  it('of client ids that may be made up leave room for those of real ones, and are kept in bounded memory', () => {
    const tallies = failureTallies()
    for (let place = 0; place < 50_000; place += 1) tallies.add(failed({ clientId: `made-up-${place}`, reason: 'unknown' }), at(0))
    for (let place = 0; place < 50_000; place += 1) tallies.add(failed({ clientId: `real-${place}` }), at(0))
    const taken = tallies.take()
    expect([taken.length, taken.filter(({ reason }) => reason === 'wrong').length]).toEqual([6_000, 5_000])
  })
})
