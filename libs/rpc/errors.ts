import { Metadata, type ServiceError, status, type StatusObject } from '@grpc/grpc-js'
import { DomainError, type Kind } from '../domain-error.js'
import type { Any } from '../wire/gen/google/protobuf/any.js'
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '../wire/gen/google/rpc/error_details.js'
import { Status } from '../wire/gen/google/rpc/status.js'

// The one door for errors, both ways (AIP-193): DomainError ⇄ gRPC status with google.rpc.Status in its trailer.

const DOMAIN = 'countersign'
const DETAILS = 'grpc-status-details-bin'
// The whole trailer must stay well below the 16 KiB that common clients accept.
const MAX_VIOLATIONS = 40
const MAX_MESSAGE = 1500

const codeOf: Record<Kind, status> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  FAILED_PRECONDITION: status.FAILED_PRECONDITION,
  ABORTED: status.ABORTED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
}

const kinds = new Map<number, Kind>([
  [status.INVALID_ARGUMENT, 'INVALID_ARGUMENT'],
  [status.UNAUTHENTICATED, 'UNAUTHENTICATED'],
  [status.PERMISSION_DENIED, 'PERMISSION_DENIED'],
  [status.NOT_FOUND, 'NOT_FOUND'],
  [status.ALREADY_EXISTS, 'ALREADY_EXISTS'],
  [status.FAILED_PRECONDITION, 'FAILED_PRECONDITION'],
  [status.ABORTED, 'ABORTED'],
  [status.RESOURCE_EXHAUSTED, 'RESOURCE_EXHAUSTED'],
  [status.UNAVAILABLE, 'UNAVAILABLE'],
  // A peer that did not answer in time is a peer that could not be reached: nothing is known to be wrong.
  [status.DEADLINE_EXCEEDED, 'UNAVAILABLE'],
  [status.CANCELLED, 'UNAVAILABLE'],
])

const internalError = (): DomainError =>
  new DomainError('INTERNAL', 'INTERNAL', 'Something went wrong on our side. Name the request id when you report it.')

/** What the caller is told. Anything but a DomainError becomes INTERNAL, with its text kept to ourselves. */
export function refusalOf(error: unknown): DomainError {
  return error instanceof DomainError ? error : internalError()
}

export function toStatus(refusal: DomainError, requestId: string): Partial<StatusObject> {
  const message = refusal.message.length > MAX_MESSAGE ? `${refusal.message.slice(0, MAX_MESSAGE)}…` : refusal.message
  const code = codeOf[refusal.kind]
  const metadata = new Metadata()
  metadata.set(DETAILS, Buffer.from(Status.encode({ code, message, details: detailsOf(refusal, requestId) }).finish()))
  metadata.set('x-request-id', requestId)
  if (refusal.retryAfterMillis !== undefined) metadata.set('grpc-retry-pushback-ms', String(refusal.retryAfterMillis))
  return { code, details: message, metadata }
}

function detailsOf(refusal: DomainError, requestId: string): Any[] {
  const details = [
    pack('ErrorInfo', ErrorInfo.encode({ reason: refusal.reason, domain: DOMAIN, metadata: { ...refusal.metadata } }).finish()),
    pack('RequestInfo', RequestInfo.encode({ requestId, servingData: '' }).finish()),
  ]
  if (refusal.violations.length > 0) {
    const fieldViolations = refusal.violations.slice(0, MAX_VIOLATIONS).map((violation) => ({ ...violation }))
    details.push(pack('BadRequest', BadRequest.encode(BadRequest.fromPartial({ fieldViolations })).finish()))
  }
  if (refusal.retryAfterMillis !== undefined) {
    const retryDelay = {
      seconds: Math.floor(refusal.retryAfterMillis / 1000),
      nanos: (refusal.retryAfterMillis % 1000) * 1_000_000,
    }
    details.push(pack('RetryInfo', RetryInfo.encode({ retryDelay }).finish()))
  }
  return details
}

const pack = (type: string, value: Uint8Array): Any => ({ typeUrl: `type.googleapis.com/google.rpc.${type}`, value: Buffer.from(value) })

/** The DomainError that a server of ours threw, rebuilt on the calling side. */
export function fromStatus(error: ServiceError): DomainError {
  const kind = kinds.get(error.code) ?? 'INTERNAL'
  const [raw] = error.metadata.get(DETAILS)
  const details = raw instanceof Buffer ? Status.decode(raw).details : []
  const info = unpack(details, 'ErrorInfo', ErrorInfo)
  if (info?.domain !== DOMAIN) return withoutDetails(kind, error)
  const violations = unpack(details, 'BadRequest', BadRequest)?.fieldViolations ?? []
  return new DomainError(kind, info.reason, error.details, {
    metadata: info.metadata,
    violations: violations.map(({ field, description }) => ({ field, description })),
    cause: error,
  })
}

function withoutDetails(kind: Kind, error: ServiceError): DomainError {
  const reason = kind === 'UNAVAILABLE' ? 'PEER_UNAVAILABLE' : 'PEER_REFUSED'
  const message = kind === 'UNAVAILABLE' ? 'A service could not be reached in time.' : error.details
  return new DomainError(kind, reason, message, { cause: error })
}

function unpack<T>(details: Any[], type: string, codec: { decode(bytes: Uint8Array): T }): T | undefined {
  const found = details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${type}`)
  return found && codec.decode(found.value)
}
