import { describe, expect, it } from 'vitest'
import { subnetOf } from '../rules/subnet.js'
import { isReachable } from './reachable-address.js'

const networks = (...texts: string[]) => texts.flatMap((text) => subnetOf(text) ?? [])

// Attack 31 of facts/authentication.md. Seen to fail, a row at a time, without the ranges, the list of metadata addresses and 2000::/3.
describe('an address of a URL that somebody configured', () => {
  it.each(['8.8.8.8', '1.1.1.1', '2001:4860:4860::8888', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
    expect(isReachable(address, [])).toBe(true)
  })

  it.each([
    ['127.0.0.1', 'loopback'], ['127.255.255.254', 'loopback'], ['::1', 'loopback'],
    ['0.0.0.0', 'this host'], ['0.1.2.3', 'this network'], ['::', 'this host'],
    ['10.0.0.1', 'private'], ['172.16.0.1', 'private'], ['172.31.255.255', 'private'], ['192.168.1.1', 'private'], ['fd12::1', 'private'], ['fec0::1', 'site-local'],
    ['169.254.1.1', 'link-local'], ['fe80::1', 'link-local'],
    ['169.254.169.254', 'metadata'], ['169.254.170.2', 'metadata'], ['fd00:ec2::254', 'metadata'], ['168.63.129.16', 'metadata in a public range'], ['100.100.100.200', 'metadata'],
    ['100.64.0.1', 'carrier-grade NAT'], ['100.127.255.255', 'carrier-grade NAT'],
    ['224.0.0.1', 'multicast'], ['239.255.255.255', 'multicast'], ['ff02::1', 'multicast'], ['255.255.255.255', 'broadcast'],
    ['192.0.0.8', 'reserved'], ['192.0.2.1', 'documentation'], ['198.18.0.1', 'benchmarking'], ['198.51.100.1', 'documentation'], ['203.0.113.1', 'documentation'], ['240.0.0.1', 'reserved'], ['2001:db8::1', 'documentation'],
    ['::ffff:127.0.0.1', 'mapped'], ['::ffff:a9fe:a9fe', 'mapped'], ['::ffff:10.0.0.1', 'mapped'], ['::127.0.0.1', 'compatible'], ['::8.8.8.8', 'compatible'],
    ['64:ff9b::7f00:1', 'NAT64'], ['64:ff9b::808:808', 'NAT64'], ['64:ff9b:1::1', 'local NAT64'], ['2002:7f00:1::', '6to4'], ['2001::1', 'Teredo'], ['4000::1', 'not assigned'], ['5f00::1', 'segment routing'],
    ['fe80::1%eth0', 'a zone'], ['010.0.0.1', 'octal'], ['0x7f.0.0.1', 'hexadecimal'], ['127.1', 'short'], ['2130706433', 'one number'], ['', 'nothing'], ['localhost', 'a name'],
  ])('%s is not: %s', (address) => expect(isReachable(address, [])).toBe(false))

  it('may be private where its network was allowed', () => {
    const allowed = networks('10.20.0.0/16', '127.0.0.0/8', 'fd12::/16')
    for (const address of ['10.20.3.4', '127.0.0.1', '::ffff:10.20.3.4', 'fd12::9']) expect(isReachable(address, allowed), address).toBe(true)
    for (const address of ['10.21.0.1', '192.168.0.1', 'fd13::1', '::1']) expect(isReachable(address, allowed), address).toBe(false)
  })

  it('is never one of metadata, whatever was allowed', () => {
    const allowed = networks('0.0.0.0/0', '::/0')
    for (const address of ['169.254.169.254', '::ffff:a9fe:a9fe', 'fd00:ec2::254', '168.63.129.16']) expect(isReachable(address, allowed), address).toBe(false)
  })
})
