import { describe, expect, it } from 'vitest'
import { EVERYWHERE, trustedSourceOf } from './trusted-source.js'

describe('a trusted source', () => {
  it.each([[EVERYWHERE], [['10.0.0.0/8', ...EVERYWHERE]]])('is none where everybody is trusted: %j', (cidrs) => expect(trustedSourceOf(cidrs)).toBeUndefined())

  it.each([
    [['10.0.0.0/8'], '10.1.2.3', true],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['10.0.0.0/8'], '11.1.2.3', false],
    [['2001:db8::/32', '10.0.0.7/32'], '10.0.0.7', true],
    [['::/0'], '10.0.0.7', false],
    [['0.0.0.0/0'], '::1', false],
    [['0.0.0.0/0'], undefined, false],
    [['10.0.0.0/8'], '10.1.2', false],
    [['10.0.0.0/8'], '/run/envoy.sock', false],
    [['nonsense'], '10.1.2.3', false],
    [[], '10.1.2.3', false],
  ])('%j holds %s: %s', (cidrs, address, holds) => expect(trustedSourceOf(cidrs)?.holds(address)).toBe(holds))
})
