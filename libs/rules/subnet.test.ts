import { describe, expect, it } from 'vitest'
import { canonicalAddress, subnetOf } from './subnet.js'

describe('a range', () => {
  it.each<[string, string, boolean | undefined]>([
    ['10.0.0.0/8', '10.255.1.2', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3/32', '10.1.2.4', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['2001:db8::/32', '2001:DB8:1::', true],
    ['2001:db8::/32', '2001:db9::', false],
    // An IPv4 address that was mapped into IPv6 is the IPv4 address.
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::/0', '::ffff:10.1.2.3', false],
    // These are none that was mapped, though one is in them.
    ['10.0.0.0/8', '::10.1.2.3', false],
    ['10.0.0.0/8', '::ffff:0:10.1.2.3', false],
    ['10.0.0.0/8', '64:ff9b::10.1.2.3', false],
    ['10.0.0.0/8', '2002:a01:203::', false],
    ['::/96', '::10.1.2.3', true],
    ['10.0.0.0/8', '10.0.0.256', undefined],
    ['10.0.0.0/8', '010.0.0.1', undefined],
    ['10.0.0.0/8', '10.1', undefined],
    ['10.0.0.0/8', '0xa.0.0.1', undefined],
    ['10.0.0.0/8', '167772161', undefined],
    ['10.0.0.0/8', ' 10.0.0.1', undefined],
    ['fe80::/10', 'fe80::1%eth0', undefined],
    ['10.0.0.0/8', '', undefined],
  ])('%s, %s: %s', (range, address, expected) => expect(subnetOf(range)?.holds(address)).toBe(expected))

  it.each(['', 'a', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.1/8', '10.0/8', '2001:db8::1/32', '::/129', '::ffff:10.0.0.0/95', 'fe80::%1/64', '010.0.0.0/8'])('%j is none', (text) => {
    expect(subnetOf(text)).toBeUndefined()
  })

  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/8', '192.168.0.0/16', false],
    ['::/0', '10.0.0.0/8', false],
    ['0.0.0.0/0', '::ffff:10.0.0.0/104', true],
  ])('%s covers %s: %s', (wide, narrow, expected) => {
    const [one, other] = [subnetOf(wide), subnetOf(narrow)]
    expect(one && other && one.covers(other)).toBe(expected)
  })
})

it.each([['10.0.0.1', '10.0.0.1'], ['2001:DB8:0::1', '2001:db8::1'], ['::ffff:10.0.0.1', '10.0.0.1'], ['::10.0.0.1', '::a00:1'], ['10.0.0.256', undefined], ['fe80::1%1', undefined]])('%s is spelled %s', (text, spelling) => {
  expect(canonicalAddress(text)).toBe(spelling)
})
