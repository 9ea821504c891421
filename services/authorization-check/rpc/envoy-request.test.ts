import { describe, expect, it } from 'vitest'
import { headersOf } from './envoy-request.js'

const plain = (headers: Record<string, string>) => headersOf({ headers, headerMap: undefined })
const raw = (...headers: readonly (readonly [string, string | Buffer])[]) =>
  headersOf({ headers: {}, headerMap: { headers: headers.map(([key, value]) => ({ key, value: '', rawValue: Buffer.from(value) })) } })

describe('headers that Envoy joined', () => {
  it('are known by their names in lower case', () => {
    expect(plain({ 'x-tenant': 'acme', 'X-Other': 'a b' }).all).toEqual(new Map([['x-tenant', 'acme'], ['x-other', 'a b']]))
  })

  // By the comma one can't tell `a` and `b` from `a,b`, and `!` may stand for anything.
  it.each(['a,b', 'a, b', ',', 'a!', '\ufffd'])('are not known where they say %j', (value) => {
    expect(plain({ 'x-tenant': value }).all).toEqual(new Map([['x-tenant', undefined]]))
  })

  it('are not known where two differ in case only', () => {
    const { all, authorization } = plain({ 'x-tenant': 'a', 'X-Tenant': 'a', authorization: 'Bearer a', Authorization: 'Bearer a' })
    expect([all.get('x-tenant'), authorization]).toEqual([undefined, ['Bearer a', 'Bearer a']])
  })

  it('show no token where they may have been two', () => expect(plain({ authorization: 'Bearer a,Bearer b' }).authorization).toEqual(['']))
})

describe('headers that Envoy left as they were', () => {
  it('are known, commas and all', () => {
    expect(raw(['x-tenant', 'a, b!'], ['x-\u00e9', '\u00e9'], ['x-empty', '']).all).toEqual(new Map([['x-tenant', 'a, b!'], ['x-\u00e9', '\u00e9'], ['x-empty', '']]))
    expect(headersOf({ headers: {}, headerMap: { headers: [{ key: 'x', value: 'text', rawValue: Buffer.alloc(0) }] } }).all).toEqual(new Map([['x', 'text']]))
  })

  // Seen to fail with the last one taken.
  it('are not known where there are two or three of them', () => {
    expect(raw(['x', 'a'], ['x', 'b']).all.get('x')).toBeUndefined()
    expect(raw(['x', 'a'], ['X', 'b'], ['x', 'a']).all).toEqual(new Map([['x', undefined]]))
  })

  it('are not known where they are no UTF-8', () => {
    const { all, authorization } = raw(['x', Buffer.from([0x61, 0xff])], ['authorization', Buffer.from([0xff])])
    expect([all.get('x'), authorization]).toEqual([undefined, ['']])
  })

  it('show every token that there is', () => {
    expect(raw(['authorization', 'Bearer a'], ['Authorization', 'Bearer b']).authorization).toEqual(['Bearer a', 'Bearer b'])
  })
})

it('headers with our prefix are named once, however they are written', () => {
  expect(raw(['x-countersign-identity', 'a'], ['X-Countersign-Identity', 'b'], ['x-countersign-role', 'c'], ['x-counter', 'd']).ours).toEqual(['x-countersign-identity', 'x-countersign-role'])
})
