import { monotonicMillis } from '../clock.js'
import type { DomainError } from '../domain-error.js'
import type { Log } from '../log.js'
import type { Trace } from './trace.js'

export type Notes = Record<string, string | number | boolean>

/** One line for one call, by its outcome. Never the request, the response or a credential. */
export function logCall(log: Log, call: { path: string; peer: string; trace: Trace; startMillis: number; notes: readonly Notes[] }, refusal?: DomainError): void {
  const line = {
    'rpc.method': call.path.slice(1),
    'rpc.status': refusal?.kind ?? 'OK',
    ...(refusal && { reason: refusal.reason }),
    duration_ms: Math.round((monotonicMillis() - call.startMillis) * 1000) / 1000,
    request_id: call.trace.requestId,
    trace_id: call.trace.traceId,
    span_id: call.trace.spanId,
    ...(call.trace.parentSpanId && { parent_span_id: call.trace.parentSpanId }),
    peer: call.peer,
  }
  Object.assign(line, ...call.notes)
  if (refusal?.kind === 'INTERNAL') log.error(line, 'call failed')
  else if (refusal?.kind === 'UNAVAILABLE') log.warn(line, 'call had no answer')
  else log.info(line, refusal ? 'call refused' : 'call answered')
}
