import type { handleUnaryCall, Metadata } from '@grpc/grpc-js'
import { monotonicMillis } from '../clock.js'
import { DomainError, invalidRequest } from '../domain-error.js'
import type { Log } from '../log.js'
import { type Deadline, deadlineOf, inTime } from './deadline.js'
import { refusalOf, toStatus } from './errors.js'
import { logCall, type Notes } from './request-log.js'
import { type Trace, traceOf } from './trace.js'

/** What a handler knows of the call that it answers. */
export type Call = {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly metadata: Metadata
  readonly peer: string
  readonly trace: Trace
  readonly deadline: Deadline
  /** Adds to the call's line in the log: ids and outcomes, never a credential. */
  note(notes: Notes): void
}

export type Unary<Request, Response> = (request: Request, call: Call) => Promise<Response>

export type Limits = {
  /** For callers that gave no deadline, or a later one. */
  readonly maxMillis: number
  /** Calls that may be under way at once; more are refused with RESOURCE_EXHAUSTED. */
  readonly maxInFlight: number
  /** Bytes of metadata that one call may bring, names and values together. */
  readonly maxMetadataBytes: number
}

export const defaultLimits: Limits = { maxMillis: 10_000, maxInFlight: 2_000, maxMetadataBytes: 16_384 }

/** Stands in for a request whose bytes are no message of its type. */
export class Undecodable {}

/** Makes a promise-returning handler what grpc-js wants. `quiet` says of an answer that it needs no line in the log. */
export type UnaryAdapter = <Request, Response>(
  handler: Unary<Request, Response>,
  quiet?: (response: Response) => boolean,
) => handleUnaryCall<Request, Response>

/** For reads that services make of each other by the thousand: only what goes wrong has a line in the log. */
export const whenAnswered = (): boolean => true

const overloaded = (): DomainError =>
  new DomainError('RESOURCE_EXHAUSTED', 'OVERLOADED', 'Too many calls are under way.', { retryAfterMillis: 100 })

export function unaryAdapter({ log, limits = defaultLimits }: { log: Log; limits?: Limits }): UnaryAdapter {
  let inFlight = 0
  return (handler, quiet) => (call, callback) => {
    const startMillis = monotonicMillis()
    const notes: Notes = {}
    const path = call.getPath()
    const context: Call = {
      path,
      metadata: call.metadata,
      peer: call.getPeer(),
      trace: traceOf(call.metadata),
      deadline: deadlineOf(call.getDeadline(), limits.maxMillis),
      note: (more) => void Object.assign(notes, more),
    }
    const line = { path, peer: context.peer, trace: context.trace, startMillis, notes }
    const answer = async () => {
      assertMetadataFits(call.metadata, limits.maxMetadataBytes)
      if (call.request instanceof Undecodable) throw invalidRequest([{ field: 'request', description: 'is not a message of its type' }])
      if (inFlight > limits.maxInFlight) throw overloaded()
      return inTime(context.deadline, () => handler(call.request, context))
    }
    inFlight += 1
    answer()
      .then(
        (response) => {
          callback(null, response)
          if (!quiet?.(response)) logCall(log, line)
        },
        (error: unknown) => {
          const refusal = refusalOf(error)
          if (refusal.kind === 'INTERNAL' && refusal !== error) log.error({ err: error, request_id: context.trace.requestId }, 'unexpected error')
          callback(toStatus(refusal, context.trace.requestId))
          logCall(log, line, refusal)
        },
      )
      .finally(() => {
        inFlight -= 1
      })
  }
}

function assertMetadataFits(metadata: Metadata, maxBytes: number): void {
  let bytes = 0
  for (const [name, values] of Object.entries(metadata.toJSON())) {
    for (const value of values) bytes += name.length + value.length
  }
  if (bytes > maxBytes) throw invalidRequest([{ field: 'metadata', description: `must be at most ${maxBytes} bytes in all` }])
}
