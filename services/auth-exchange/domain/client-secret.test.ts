import { describe, expect, it } from 'vitest'
import { type ClientSecret, endOfOverlap, succeeding, UNUSED } from './client-secret.js'

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1) + seconds * 1000)
const secret: ClientSecret = { organizationId: 'o', id: 's', identityId: 'i', description: 'CI', ...UNUSED, epoch: 'e', createTime: at(0) }

describe('a rotated secret', () => {
  it.each([
    [null, 0, 100],
    [null, 60, 160],
    [150, 60, 150],
    [160, 60, 160],
    [161, 60, 160],
  ])('that was to end at %s, with an overlap of %s s, ends at %s', (expires, overlapSeconds, ends) => {
    expect(endOfOverlap({ ...secret, expireTime: expires === null ? null : at(expires) }, at(100), overlapSeconds)).toEqual(at(ends))
  })

  it('is succeeded by one with its settings, of which nothing is used', () => {
    const used = { ...secret, useLimit: 5, uses: 4, expireTime: at(30), trustedIps: ['10.0.0.0/8'], lastUsedTime: at(9), lastUsedAddress: '10.0.0.1' }
    const { organizationId, identityId, description } = secret
    const settings = { organizationId, identityId, description, useLimit: 5, trustedIps: ['10.0.0.0/8'] }
    expect(succeeding(used, at(20))).toEqual({ ...UNUSED, ...settings, expireTime: at(50) })
    expect(succeeding(secret, at(20))).toMatchObject({ expireTime: null, useLimit: null })
  })
})
