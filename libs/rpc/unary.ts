import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js'
import { monotonicMillis } from '../clock.js'
import { DomainError, invalidRequest } from '../domain-error.js'
import type { Log } from '../log.js'
import { NO_METRICS, type RpcMetrics } from '../metrics/rpc.js'
import { type Deadline, deadlineOf, inTime } from './deadline.js'
import { refusalOf, toStatus } from './errors.js'
import { peerAddressOf } from './peer-address.js'
import { logCall, type Notes } from './request-log.js'
import { type Trace, traceOf } from './trace.js'

/** What a handler knows of the call that it answers. */
export type Call = {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly metadata: Metadata
  readonly peer: string
  /** The address at the other end of the connection; undefined for a Unix socket, and for a connection that is gone. */
  readonly peerAddress: string | undefined
  /** What the caller's certificate is for, as `DNS:name` or `URI:spiffe://...`; nothing where it had to show none. */
  readonly peerNames: readonly string[]
  readonly trace: Trace
  readonly deadline: Deadline
  /** Adds to the call's line in the log: ids and outcomes, never a credential. */
  note(notes: Notes): void
}

/** What is known at once is answered at once: a promise, and the timer that bounds it, cost as much as a check. */
export type Unary<Request, Response> = (request: Request, call: Call) => Response | Promise<Response>

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

/** Makes a handler what grpc-js wants. `quiet` says of an answer that it needs no line in the log. */
export type UnaryAdapter = <Request, Response>(
  handler: Unary<Request, Response>,
  quiet?: (response: Response) => boolean,
  ways?: Ways<Response>,
) => handleUnaryCall<Request, Response>

/** How a method differs from others. */
export type Ways<Response> = {
  /** For one that is meant to take longer. */
  readonly maxMillis?: number
  /** For one that tells refusals by answers; where this gives none, the refusal is a status as everywhere. */
  readonly toldAs?: (refusal: DomainError, call: Call) => Response | undefined
  /** Which refusals have no line in the log: those that a flood could fill a disk with, and that are counted elsewhere. */
  readonly isUnlogged?: (refusal: DomainError) => boolean
}

/** For reads that services make of each other by the thousand: only what goes wrong has a line in the log. */
export const whenAnswered = (): boolean => true

export const overloaded = (): DomainError =>
  new DomainError('RESOURCE_EXHAUSTED', 'OVERLOADED', 'Too many calls are under way.', { retryAfterMillis: 100 })

export type AdapterOptions = { readonly log: Log; readonly limits?: Limits; readonly metrics?: RpcMetrics }

export function unaryAdapter({ log, limits = defaultLimits, metrics = NO_METRICS }: AdapterOptions): UnaryAdapter {
  let inFlight = 0
  return <Request, Response>(handler: Unary<Request, Response>, quiet?: (response: Response) => boolean, ways: Ways<Response> = {}): handleUnaryCall<Request, Response> => (call, callback) => {
    const context = new AnsweredCall(call, ways.maxMillis ?? limits.maxMillis)
    inFlight += 1
    const ended = metrics.begun(call.getPath())
    const respond = (response: Response) => {
      inFlight -= 1
      callback(null, response)
      ended('OK')
      if (!quiet?.(response)) logCall(log, context)
    }
    const refuse = (error: unknown) => {
      inFlight -= 1
      const refusal = loggedRefusal(error, log, context)
      const told = ways.toldAs?.(refusal, context)
      if (told === undefined) callback(toStatus(refusal, context.trace.requestId))
      else callback(null, told)
      ended(refusal.kind)
      if (!ways.isUnlogged?.(refusal)) logCall(log, context, refusal)
    }
    const refused = inFlight > limits.maxInFlight ? overloaded() : unreadable(call, limits.maxMetadataBytes)
    const answer = refused ? Promise.reject(refused) : inTime(context.deadline, () => handler(call.request, context))
    if (answer instanceof Promise) answer.then(respond, refuse)
    else respond(answer)
  }
}

type GivenCall = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getPath' | 'getPeer' | 'getDeadline' | 'getAuthContext'>

/** What the caller is told; of what is our own fault, the log has more. */
export function loggedRefusal(error: unknown, log: Log, { trace }: Call): DomainError {
  const refusal = refusalOf(error)
  if (refusal.kind === 'INTERNAL' && refusal !== error) log.error({ err: error, request_id: trace.requestId }, 'unexpected error')
  return refusal
}

/** Whatever only some calls need is made when it is asked for: most checks need no trace and have no line in the log. */
export class AnsweredCall implements Call {
  readonly startMillis = monotonicMillis()
  readonly deadline: Deadline
  readonly notes: Notes[] = []
  #trace: Trace | undefined

  constructor(
    private readonly call: GivenCall,
    maxMillis: number,
  ) {
    this.deadline = deadlineOf(call.getDeadline(), maxMillis)
  }

  get path(): string {
    return this.call.getPath()
  }

  get metadata(): Metadata {
    return this.call.metadata
  }

  get peer(): string {
    return this.call.getPeer()
  }

  get peerAddress(): string | undefined {
    return peerAddressOf(this.peer)
  }

  get peerNames(): readonly string[] {
    return this.call.getAuthContext().sslPeerCertificate?.subjectaltname?.split(', ') ?? []
  }

  get trace(): Trace {
    return (this.#trace ??= traceOf(this.call.metadata))
  }

  note(notes: Notes): void {
    this.notes.push(notes)
  }
}

/** Why a request is refused before anything of it is read. */
export function unreadable({ request, metadata }: { request: unknown; metadata: Metadata }, maxMetadataBytes: number): DomainError | undefined {
  if (bytesOf(metadata) > maxMetadataBytes) return invalidRequest([{ field: 'metadata', description: `must be at most ${maxMetadataBytes} bytes in all` }])
  return request instanceof Undecodable ? invalidRequest([{ field: 'request', description: 'is not a message of its type' }]) : undefined
}

function bytesOf(metadata: Metadata): number {
  let bytes = 0
  for (const [name, values] of Object.entries(metadata.toJSON())) {
    for (const value of values) bytes += name.length + value.length
  }
  return bytes
}
