import { expect, it } from 'vitest'
import { sourceOf } from './source.js'

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::1', '::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
  ['fe80::1%eth0', 'unknown'],
  ['', 'unknown'],
  [undefined, 'unknown'],
])('%s comes from %s', (address, source) => expect(sourceOf(address)).toBe(source))
