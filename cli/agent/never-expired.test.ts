import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Moment } from '#libs/clock.js'
import { FreshToken } from './fresh-token.js'
import { tokenFrom } from './issued-token.js'

// A machine, a server and the time that truly passes. The server's clock is wrong, the machine's wall clock is wrong and is set,
// and the monotonic clock stands still while the machine is suspended.

type Step =
  | { readonly kind: 'passes' | 'suspended' | 'set'; readonly millis: number }
  | { readonly kind: 'login'; readonly ttlSeconds: number; readonly thereMillis: number; readonly backMillis: number }
  | { readonly kind: 'failed login'; readonly isRefusal: boolean }

type World = { readonly serverSkew: number; readonly wallSkew: number; readonly chance: number; readonly steps: readonly Step[] }

const millis = fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 4_000_000 }))
const skew = fc.integer({ min: -1e9, max: 1e9 })
const steps = (suspended: fc.Arbitrary<Step>): fc.Arbitrary<Step[]> =>
  fc.array(fc.oneof(
    fc.record({ kind: fc.constant('passes' as const), millis }),
    fc.record({ kind: fc.constant('login' as const), ttlSeconds: fc.oneof(fc.integer({ min: 3, max: 10 }), fc.integer({ min: 3, max: 7_200 })), thereMillis: fc.integer({ min: 0, max: 5_000 }), backMillis: fc.integer({ min: 0, max: 5_000 }) }),
    fc.record({ kind: fc.constant('failed login' as const), isRefusal: fc.boolean() }),
    suspended,
  ), { maxLength: 30 })
// A wall clock that is set back by exactly as much as the machine was suspended is beyond anybody.
const world = (some: fc.Arbitrary<Step>) => fc.record({ serverSkew: skew, wallSkew: skew, chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), steps: steps(some) })
const suspending = world(fc.record({ kind: fc.constant('suspended' as const), millis }))
const setting = world(fc.record({ kind: fc.constant('set' as const), millis: skew }))

/** As auth-exchange makes them: in whole seconds of its own clock. */
function accessTokenAt(serverMillis: number, ttlSeconds: number): { accessToken: string; end: number } {
  const iat = Math.floor(serverMillis / 1000)
  const payload = { jti: 'j', sub: 's', org: 'o', iat, exp: iat + ttlSeconds }
  return { accessToken: `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.x`, end: (iat + ttlSeconds) * 1000 }
}

/** How often a token was handed out that the server would have refused, and how often one was. */
function run({ serverSkew, wallSkew, chance, steps: all }: World): { expired: number; handedOut: number } {
  let [time, monotonic, wall, end] = [1e12, 0, 1e12 + wallSkew, 0]
  const seen = { expired: 0, handedOut: 0 }
  const fresh = new FreshToken(() => chance)
  const now = (): Moment => ({ monotonic, wall })
  const pass = (more: number) => {
    time += more
    monotonic += more
    wall += more
  }
  const ask = () => {
    if (!fresh.usable(now())) return
    seen.handedOut += 1
    if (time + serverSkew >= end) seen.expired += 1
  }
  const login = (step: Extract<Step, { kind: 'login' }>) => {
    if (!fresh.isDue(now())) return
    fresh.begin(now())
    pass(step.thereMillis)
    const made = accessTokenAt(time + serverSkew, step.ttlSeconds)
    ask()
    pass(step.backMillis)
    fresh.succeeded(tokenFrom(made), now())
    end = made.end
  }
  for (const step of all) {
    if (step.kind === 'passes') pass(step.millis)
    if (step.kind === 'set') wall += step.millis
    if (step.kind === 'suspended') [time, wall] = [time + step.millis, wall + step.millis]
    if (step.kind === 'login') login(step)
    if (step.kind === 'failed login' && fresh.isDue(now())) {
      fresh.begin(now())
      fresh.failed({ isRefusal: step.isRefusal, retryAfterMillis: undefined }, now())
    }
    ask()
  }
  return seen
}

// An expired token is never handed out: seen to fail where its life counts from the answer, where its whole seconds are taken
// for exact, and where only one of the clocks is looked at.
it.each([['is suspended', suspending], ['has its clock set', setting]] as const)('a machine that %s hands out no token that has expired', (_what, worlds) => {
  let handedOut = 0
  fc.assert(fc.property(worlds, (one) => {
    const seen = run(one)
    handedOut += seen.handedOut
    expect(seen.expired).toBe(0)
  }), { numRuns: 5_000 })
  expect(handedOut).toBeGreaterThan(5_000)
})
