import { Metadata, type ServiceError, status, type StatusObject } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { DomainError, invalidRequest, type Kind } from '../domain-error.js'
import { BadRequest, RequestInfo } from '../wire/gen/google/rpc/error_details.js'
import { Status } from '../wire/gen/google/rpc/status.js'
import { fromStatus, refusalOf, toStatus } from './errors.js'

/** What a client is given for a status that a server sent. */
const received = (sent: StatusObject): ServiceError => Object.assign(new Error(sent.details), sent)

const foreign = (code: status, details = 'told by a stranger', metadata = new Metadata()): ServiceError => received({ code, details, metadata })

const overTheWire = (error: unknown): DomainError => fromStatus(received(toStatus(refusalOf(error), 'request-1')))

const codes: Record<Kind, status> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  FAILED_PRECONDITION: status.FAILED_PRECONDITION,
  ABORTED: status.ABORTED,
  OUT_OF_RANGE: status.OUT_OF_RANGE,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
}
const kinds: readonly Kind[] = [
  'INVALID_ARGUMENT',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'INTERNAL',
]

describe('a refusal comes back as it was thrown', () => {
  it.each(kinds)('%s', (kind) => {
    const thrown = new DomainError(kind, 'SOME_REASON', 'Caf\u00e9 "x" 100% \u{1f600} is not here.', { metadata: { name: 'caf\u00e9' } })
    expect(toStatus(thrown, 'request-1').code).toBe(codes[kind])
    const { reason, message, metadata, violations, retryAfterMillis } = thrown
    expect(overTheWire(thrown)).toMatchObject({ kind, reason, message, metadata, violations, retryAfterMillis })
  })

  it('with its violations, in order', () => {
    const violations = [{ field: 'name', description: 'must be set' }, { field: 'roles[1].end_time', description: 'must be later' }]
    expect(overTheWire(invalidRequest(violations)).violations).toEqual(violations)
  })

  it.each([0, 1, 100, 999, 1_000, 1_500, 3_600_000])('with %i ms to wait before another try', (retryAfterMillis) => {
    const thrown = new DomainError('RESOURCE_EXHAUSTED', 'OVERLOADED', 'Too many.', { retryAfterMillis })
    expect(overTheWire(thrown).retryAfterMillis).toBe(retryAfterMillis)
  })

  // Where a call was waited for already, a library that repeats it would spend the caller's time on it unasked.
  it.each([[0, '0'], [1, '1'], [999, '999'], [1_000, '-1'], [3_600_000, '-1']])('with %i ms to wait, of which a client library is told %s', (retryAfterMillis, told) => {
    const thrown = new DomainError('UNAVAILABLE', 'LEASE_LAPSED', 'Later.', { retryAfterMillis })
    expect(toStatus(thrown, 'request-1').metadata.get('grpc-retry-pushback-ms')).toEqual([told])
  })

  it('with part of a millisecond to wait rounded up', () => {
    expect(overTheWire(new DomainError('ABORTED', 'CONTENTION', 'Again.', { retryAfterMillis: 99.2 })).retryAfterMillis).toBe(100)
  })

  it('and its cause stays with the server', () => {
    const thrown = new DomainError('UNAVAILABLE', 'GONE', 'It is gone.', { cause: new Error('password=hunter2') })
    expect(JSON.stringify(toStatus(thrown, 'request-1').metadata)).not.toContain('hunter2')
    expect(JSON.stringify(Buffer.from(detailsOf(thrown)).toString('latin1'))).not.toContain('hunter2')
  })

  it('with the request id, in the trailer and in the details', () => {
    const sent = toStatus(new DomainError('NOT_FOUND', 'NO', 'No.'), 'request-7')
    expect(sent.metadata.get('x-request-id')).toEqual(['request-7'])
    const info = Status.decode(detailsOf(new DomainError('NOT_FOUND', 'NO', 'No.'))).details.find(({ typeUrl }) =>
      typeUrl.endsWith('/google.rpc.RequestInfo')
    )
    expect(info && RequestInfo.decode(info.value).requestId).toBe('request-1')
  })
})

function detailsOf(refusal: DomainError): Buffer {
  const [details] = toStatus(refusal, 'request-1').metadata.get('grpc-status-details-bin')
  return Buffer.isBuffer(details) ? details : Buffer.alloc(0)
}

describe('what is no refusal', () => {
  it.each([
    ['an error', new Error('password=hunter2 at 10.0.0.7')],
    ['an error with a code of its own', Object.assign(new Error('hunter2'), { code: status.NOT_FOUND, details: 'hunter2' })],
    ['an error of a peer', foreign(status.UNAUTHENTICATED, 'hunter2')],
    ['text', 'hunter2'],
    ['nothing', undefined],
  ])('is INTERNAL, and nothing of it is told: %s', (_what, thrown) => {
    const refusal = refusalOf(thrown)
    expect(overTheWire(thrown)).toMatchObject({ kind: 'INTERNAL', reason: 'INTERNAL', metadata: {}, violations: [] })
    const { details } = toStatus(refusal, 'request-1')
    expect(details + detailsOf(refusal).toString('latin1')).not.toContain('hunter2')
  })
})

describe('what another server answers', () => {
  it.each([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED])(
    'status %i means that it could not be reached in time, and its text goes no further',
    (code) => {
      const failure = fromStatus(foreign(code, 'connect ECONNREFUSED 10.0.0.7:50051'))
      expect(failure).toMatchObject({ kind: 'UNAVAILABLE', reason: 'PEER_UNAVAILABLE', message: 'A service could not be reached in time.' })
    },
  )

  it.each([status.UNKNOWN, status.UNIMPLEMENTED, status.DATA_LOSS, status.INTERNAL])(
    'status %i, which we never send, is INTERNAL',
    (code) => {
      expect(fromStatus(foreign(code))).toMatchObject({ kind: 'INTERNAL', reason: 'PEER_REFUSED' })
    },
  )

  it('keeps its meaning without details', () => {
    expect(fromStatus(foreign(status.NOT_FOUND))).toMatchObject({ kind: 'NOT_FOUND', reason: 'PEER_REFUSED' })
  })

  it('is not taken for ours where its details name another domain', () => {
    const sent = toStatus(new DomainError('NOT_FOUND', 'NO_SUCH_BUCKET', 'No.'), 'request-1')
    const bytes = detailsOf(new DomainError('NOT_FOUND', 'NO_SUCH_BUCKET', 'No.'))
    sent.metadata.set('grpc-status-details-bin', Buffer.from(bytes.toString('latin1').replace('countersign', 'storagesign'), 'latin1'))
    expect(fromStatus(received(sent))).toMatchObject({ kind: 'NOT_FOUND', reason: 'PEER_REFUSED' })
  })

  // It is thrown in a callback of the channel: an error there ends the process.
  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -3)],
    ['no message at all', () => Buffer.from([0xff, 0xff, 0xff])],
    ['empty', () => Buffer.alloc(0)],
  ])(
    'is no error of ours where its details are %s',
    (_what, spoilt) => {
      const metadata = new Metadata()
      metadata.set('grpc-status-details-bin', spoilt(detailsOf(new DomainError('NOT_FOUND', 'NO', 'No.'))))
      expect(fromStatus(foreign(status.NOT_FOUND, 'no', metadata))).toMatchObject({ kind: 'NOT_FOUND', reason: 'PEER_REFUSED' })
    },
  )
})

describe('a refusal fits into the 8 KiB of headers that clients take by default', () => {
  const bytesOf = ({ details, metadata }: StatusObject): number =>
    encodeURI(details).length +
    Object.entries(metadata.toHttp2Headers()).reduce((sum, [name, value]) => sum + name.length + String(value).length + 32, 0)

  const violation = (index: number, length: number) => ({ field: `f[${index}]`, description: 'x'.repeat(length) })
  const many = (count: number, length: number) => invalidRequest(Array.from({ length: count }, (_, index) => violation(index, length)))

  it('so the 41st violation is not named any more', () => {
    expect(overTheWire(many(40, 20)).violations).toHaveLength(40)
    const { violations } = overTheWire(many(41, 20))
    expect(violations).toEqual(Array.from({ length: 40 }, (_, index) => violation(index, 20)))
  })

  it.each([
    ['many violations', many(10_000, 20)],
    ['long violations', many(40, 200)],
    ['endless violations', many(3, 100_000)],
    [
      'violations beyond ASCII',
      invalidRequest(Array.from({ length: 100 }, () => ({ field: '\u4e00'.repeat(20), description: '\u4e00'.repeat(50) }))),
    ],
    ['a long message', new DomainError('NOT_FOUND', 'NO', 'x'.repeat(100_000))],
    ['a message of spaces', new DomainError('NOT_FOUND', 'NO', ' '.repeat(100_000))],
    ['a message beyond ASCII', new DomainError('NOT_FOUND', 'NO', '\u{1f600}'.repeat(50_000))],
    ['long metadata', new DomainError('NOT_FOUND', 'NO', 'No.', { metadata: { name: '\u4e00'.repeat(10_000), role: 'x'.repeat(10_000) } })],
  ])('whatever it has to say: %s', (_what, refusal) => {
    const sent = toStatus(refusal, 'r'.repeat(128))
    expect(bytesOf(sent)).toBeLessThan(7_900)
    expect(fromStatus(received(sent))).toMatchObject({ kind: refusal.kind, reason: refusal.reason })
  })

  it('and still names as many of the fields as it can', () => {
    const [details] = Status.decode(detailsOf(many(40, 90))).details.filter(({ typeUrl }) => typeUrl.endsWith('/google.rpc.BadRequest'))
    expect(details && BadRequest.decode(details.value).fieldViolations.length).toBeGreaterThanOrEqual(20)
  })

  // gRPC writes a message by encodeURI, which throws on half of a character: in the callback that answers, where nobody catches.
  it.each([['high', '\ud83d'], ['low', '\ude00'], ['cut in two', `${'x'.repeat(999)}\u{1f600}`]])(
    'half of a character in a message is not sent as such: %s',
    (_what, text) => {
      const sent = toStatus(new DomainError('NOT_FOUND', 'NO', text), 'request-1')
      expect(() => encodeURI(sent.details)).not.toThrow()
      expect(fromStatus(received(sent))).toMatchObject({ reason: 'NO' })
    },
  )
})
