import { expect, it } from 'vitest'
import { sourceOf } from './source.js'

it.each([
  ['192.0.2.7:50123', '192.0.2.7'],
  ['::ffff:192.0.2.7:50123', '192.0.2.7'],
  ['::1:50123', '::/64'],
  ['2001:db8:1:2:3:4:5:6:50123', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff:ffff:ffff:ffff:1', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::1:50123', '2001:db8:1:3::/64'],
  ['fe80::1%eth0:50123', 'unknown'],
  ['unknown', 'unknown'],
  ['', 'unknown'],
])('%s comes from %s', (peer, source) => expect(sourceOf(peer)).toBe(source))
