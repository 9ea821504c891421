import { expect, it } from 'vitest'
import { peerAddressOf } from './peer-address.js'

it.each([
  ['127.0.0.1:50051', '127.0.0.1'],
  ['::1:50051', '::1'],
  ['2001:db8::7:443', '2001:db8::7'],
  ['::ffff:10.1.2.3:50051', '10.1.2.3'],
  ['fe80::1%eth0:50051', undefined],
  ['/run/check.sock', undefined],
  ['unknown', undefined],
  ['', undefined],
])('the address of the peer %j is %s', (peer, address) => expect(peerAddressOf(peer)).toBe(address))
