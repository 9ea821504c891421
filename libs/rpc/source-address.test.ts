import { Metadata } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { peerAddressOf } from './peer-address.js'
import { CREDENTIAL_HEADER, digestOf, type InternalCaller, serviceCallers } from './service-credential.js'
import { FORWARDED_HEADER, sourceAddressOf } from './source-address.js'
import { traceOf } from './trace.js'
import type { Call } from './unary.js'

const SECRET = 's'.repeat(43)
const LOGIN = '/countersign.exchange.v1.AuthExchangeService/Login'
const gateway: InternalCaller = { name: 'http-gateway', digests: [digestOf(SECRET)], methods: [LOGIN], organizations: ['*'], projects: ['*'] }
const other: InternalCaller = { ...gateway, name: 'other', methods: ['/countersign.feed.v1.ChangeFeedService/*'] }
const callers = serviceCallers([gateway, other])

function callWith(headers: Readonly<Record<string, readonly string[]>>): Call {
  const metadata = new Metadata()
  for (const [name, values] of Object.entries(headers)) for (const value of values) metadata.add(name, value)
  return { path: LOGIN, metadata, peer: '', peerAddress: '192.0.2.1', peerNames: [], trace: traceOf(metadata), deadline: 0, note: () => undefined }
}

const forwarded = (...addresses: string[]) => callWith({ [CREDENTIAL_HEADER]: [`http-gateway:${SECRET}`], [FORWARDED_HEADER]: addresses })

describe('the address of a peer', () => {
  it.each([
    ['10.0.0.1:50000', '10.0.0.1'],
    ['::1:50000', '::1'],
    ['::ffff:10.0.0.1:50000', '10.0.0.1'],
    ['2001:db8::a:b:443', '2001:db8::a:b'],
    ['fe80::1%eth0:50000', undefined],
    ['unknown', undefined],
    ['', undefined],
  ])('of %s is %s', (peer, address) => {
    expect(peerAddressOf(peer)).toBe(address)
  })
})

describe('the source of a call', () => {
  it('is its peer, whatever it says', () => {
    expect(sourceAddressOf(callWith({ [FORWARDED_HEADER]: ['10.0.0.1'] }), callers)).toBe('192.0.2.1')
  })

  it.each([['10.0.0.1', '10.0.0.1'], ['::ffff:10.0.0.1', '10.0.0.1'], ['2001:DB8::1', '2001:db8::1']])('is %s where a gateway says so', (said, address) => {
    expect(sourceAddressOf(forwarded(said), callers)).toBe(address)
  })

  // Never the gateway's own, which may be trusted: seen to fail with the peer in place of what is unknown.
  it.each([
    ['nothing', []],
    ['empty text', ['']],
    ['two headers', ['10.0.0.1', '10.0.0.1']],
    ['a list, as two headers arrive', ['10.0.0.1, 10.0.0.1']],
    ['a port', ['10.0.0.1:443']],
    ['brackets', ['[2001:db8::1]']],
    ['a zone', ['fe80::1%eth0']],
    ['a range', ['10.0.0.0/8']],
    ['leading zeros', ['010.0.0.1']],
    ['a short address', ['10.1']],
    ['a hexadecimal one', ['0x0a.0.0.1']],
    ['a number', ['167772161']],
    ['a name', ['localhost']],
    ['a header of RFC 7239', ['for=10.0.0.1']],
  ])('is not known where a gateway says %s', (_what, said) => {
    expect(sourceAddressOf(forwarded(...said), callers)).toBeUndefined()
  })

  it('is not asked for where a credential is shown that is not good for the method', () => {
    const showing = (credential: string) => callWith({ [CREDENTIAL_HEADER]: [credential], [FORWARDED_HEADER]: ['10.0.0.1'] })
    expect(() => sourceAddressOf(showing(`http-gateway:${'x'.repeat(43)}`), callers)).toThrow(expect.objectContaining({ reason: 'SERVICE_CREDENTIAL_REJECTED' }))
    expect(() => sourceAddressOf(showing(`other:${SECRET}`), callers)).toThrow(expect.objectContaining({ reason: 'SERVICE_NOT_ALLOWED' }))
  })
})
