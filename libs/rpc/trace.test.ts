import { Metadata } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { traceOf, writeTrace } from './trace.js'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN_ID = '00f067aa0ba902b7'
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`

function metadataWith(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  return metadata
}

const traceWith = (headers: Readonly<Record<string, string>>) => traceOf(metadataWith(headers))

describe('a call that names a W3C trace', () => {
  it('joins it: the same trace and flags, the caller as parent, a span of its own', () => {
    expect(traceWith({ traceparent: TRACEPARENT })).toMatchObject({ traceId: TRACE_ID, parentSpanId: SPAN_ID, flags: '01', requestId: TRACE_ID })
    const spans = [traceWith({ traceparent: TRACEPARENT }), traceWith({ traceparent: TRACEPARENT })].map(({ spanId }) => spanId)
    expect(new Set([...spans, SPAN_ID]).size).toBe(3)
    for (const spanId of spans) expect(spanId).toMatch(/^[0-9a-f]{16}$/)
  })

  it('hands it on with its own span as parent, so that the next service joins it too', () => {
    const here = traceWith({ traceparent: TRACEPARENT, 'x-request-id': 'order-7' })
    const outgoing = new Metadata()
    writeTrace(here, outgoing)
    expect(outgoing.get('traceparent')).toEqual([`00-${TRACE_ID}-${here.spanId}-01`])
    expect(traceOf(outgoing)).toMatchObject({ traceId: TRACE_ID, parentSpanId: here.spanId, flags: '01', requestId: 'order-7' })
  })

  it('hands on one trace only, whatever was there before', () => {
    const outgoing = metadataWith({ traceparent: 'old', 'x-request-id': 'old' })
    writeTrace(traceWith({}), outgoing)
    expect([outgoing.get('traceparent').length, outgoing.get('x-request-id').length]).toEqual([1, 1])
  })
})

describe('a call begins a trace', () => {
  it.each([
    ['that names none', ''],
    ['with a word', 'yes'],
    ['with a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['with a parent id of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
    ['with upper case', TRACEPARENT.toUpperCase()],
    ['with the version that is forbidden', TRACEPARENT.replace(/^00/, 'ff')],
    ['with more than its version has', `${TRACEPARENT}-00`],
    ['with a trace id too short', TRACEPARENT.replace('4bf', '4b')],
    ['with a trace id too long', TRACEPARENT.replace('4bf', '4bff')],
    ['without flags', TRACEPARENT.slice(0, -3)],
    ['with a space before', ` ${TRACEPARENT}`],
    ['with two of them in one', `${TRACEPARENT}, ${TRACEPARENT}`],
    ['with a digit that is none', TRACEPARENT.replace('4bf', '4bg')],
  ])('%s', (_what, traceparent) => {
    const trace = traceWith(traceparent === '' ? {} : { traceparent })
    expect(trace.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
    expect(trace.traceId).not.toBe(TRACE_ID)
    expect(trace).toMatchObject({ parentSpanId: undefined, flags: '00', requestId: trace.traceId })
  })

  it('of its own each time', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => traceWith({}).traceId)).size).toBe(1_000)
  })
})

describe('a request id', () => {
  it.each(['order-7', 'a', 'A.b_c:d/e+f=g', TRACE_ID, 'x'.repeat(128)])('of the caller is kept: %s', (id) => {
    expect(traceWith({ 'x-request-id': id, traceparent: TRACEPARENT }).requestId).toBe(id)
  })

  // It goes into logs, trailers and the next call as it is.
  it.each(['', ' ', 'a b', 'a,b', 'a"b', '<script>', '{"a":1}', '%0a', 'a;b', 'x'.repeat(129)])('that is none is the trace id: %j', (id) => {
    expect(traceWith({ 'x-request-id': id, traceparent: TRACEPARENT }).requestId).toBe(TRACE_ID)
  })
})
