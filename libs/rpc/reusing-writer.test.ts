import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ErrorInfo } from '../wire/gen/google/rpc/error_details.js'
import { reusingWriter } from './reusing-writer.js'

const message = fc.record({ reason: fc.string(), domain: fc.string({ maxLength: 40_000 }), metadata: fc.dictionary(fc.string().filter((key) => key !== '__proto__'), fc.string()) })

describe('a writer that is used again', () => {
  it('writes what the generated serializer writes, whatever was written before', () => {
    const serialize = reusingWriter(ErrorInfo)
    fc.assert(fc.property(message, (one) => serialize(one).equals(ErrorInfo.encode(one).finish())))
  })

  it('leaves what it has written alone', () => {
    const serialize = reusingWriter(ErrorInfo)
    const first = serialize({ reason: 'first', domain: 'a', metadata: {} })
    serialize({ reason: 'other', domain: 'b', metadata: {} })
    expect(ErrorInfo.decode(first).reason).toBe('first')
  })

  // Seen to fail with the writer kept while it is used.
  it('forgets a message that broke off in the middle', () => {
    const serialize = reusingWriter(ErrorInfo)
    const broken = { reason: 'half', domain: 'a', get metadata(): Record<string, string> { throw new Error('broke off') } }
    serialize({ reason: 'whole', domain: 'a', metadata: {} })
    expect(() => serialize(broken)).toThrow('broke off')
    expect(ErrorInfo.decode(serialize({ reason: 'next', domain: 'b', metadata: {} }))).toEqual({ reason: 'next', domain: 'b', metadata: {} })
  })
})
