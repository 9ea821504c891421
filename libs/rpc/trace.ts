import type { Metadata } from '@grpc/grpc-js'
import { randomHex } from '../random-hex.js'

/** Where a call belongs: W3C trace context, and a request id that follows it through every service. */
export type Trace = {
  readonly requestId: string
  readonly traceId: string
  readonly spanId: string
  /** Of the caller; absent where the trace begins here. */
  readonly parentSpanId: string | undefined
  readonly flags: string
}

// Ids of zeros only are no ids.
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/
const REQUEST_ID = /^[A-Za-z0-9._:/+=-]{1,128}$/

/** Joins the caller's trace, or begins one; the trace id serves as request id where the caller named none. */
export function traceOf(metadata: Metadata): Trace {
  const parent = TRACEPARENT.exec(text(metadata, 'traceparent'))
  const traceId = parent?.[1] ?? randomHex(16)
  const named = text(metadata, 'x-request-id')
  return {
    requestId: REQUEST_ID.test(named) ? named : traceId,
    traceId,
    spanId: randomHex(8),
    parentSpanId: parent?.[2],
    flags: parent?.[3] ?? '00',
  }
}

/** Of what is nobody's call. */
export function newTrace(): Trace {
  const traceId = randomHex(16)
  return { requestId: traceId, traceId, spanId: randomHex(8), parentSpanId: undefined, flags: '00' }
}

/** Hands the trace on to the next service. */
export function writeTrace(trace: Trace, metadata: Metadata): void {
  metadata.set('traceparent', `00-${trace.traceId}-${trace.spanId}-${trace.flags}`)
  metadata.set('x-request-id', trace.requestId)
}

function text(metadata: Metadata, key: string): string {
  const [value] = metadata.get(key)
  return typeof value === 'string' ? value : ''
}
