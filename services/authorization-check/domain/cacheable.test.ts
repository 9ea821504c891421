import { describe, expect, it } from 'vitest'
import { trustedSourceOf } from '#libs/rules/trusted-source.js'
import { cacheableMillis } from './cacheable.js'

const credential = { organizationId: 'o', identityId: 'i', tokenId: 't', method: 'universal-auth', expireMillis: 10_000, revoked: false, useLimited: false, trusted: undefined }
const time = (earliest: number, latest = earliest) => ({ earliest, latest })
const evidence = (at = time(0), ...windows: readonly (readonly [number, number])[]) => ({
  credential,
  credentialTime: at,
  grantsTime: at,
  grants: { state: 'active' as const, identityName: 'n', grants: windows.map(([startMillis, endMillis]) => ({ roleId: 'r', startMillis, endMillis })) },
})
const always = [-Infinity, Infinity] as const

describe('an answer may be given again', () => {
  it.each([
    ['for what is left of the bound', evidence(), 200.9, 200],
    ['no longer than the token is good', evidence(time(9_900)), 200, 100],
    ['no longer than the token surely is good', evidence(time(9_900, 9_950)), 200, 50],
    ['never, beyond the bound', evidence(), -3, 0],
    ['never, with a token at its end', evidence(time(9_999, 10_000)), 200, 0],
    ['as if there were no windows, where they are long over or last for ever', evidence(time(100), [0, 50], always), 200, 200],
    ['until a role ends', evidence(time(100), [0, 150], always), 200, 50],
    ['until a role begins', evidence(time(100), [130, 900]), 200, 30],
    ['never, where each answer takes a use', { ...evidence(), credential: { ...credential, useLimited: true } }, 200, 0],
    ['never, where another address has another answer', { ...evidence(), credential: { ...credential, trusted: trustedSourceOf(['10.0.0.0/8']) } }, 200, 0],
    ['never, where a role may be ending', evidence(time(100, 200), [0, 150]), 200, 0],
  ])('%s', (_when, given, left, millis) => expect(cacheableMillis(given, left)).toBe(millis))
})
