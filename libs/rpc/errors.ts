import { Metadata, status, type StatusObject } from '@grpc/grpc-js'
import { DomainError, type FieldViolation, type Kind } from '../domain-error.js'
import { contention, isRepeatable } from '../postgres/errors.js'
import { MissingRules } from '../wire/gen/countersign/registry/v1/escalation.js'
import type { Any } from '../wire/gen/google/protobuf/any.js'
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '../wire/gen/google/rpc/error_details.js'
import { Status } from '../wire/gen/google/rpc/status.js'
import { firstMissing, missingRuleFrom } from './missing-rule-message.js'

// The one door for errors, both ways (AIP-193): DomainError ⇄ gRPC status with google.rpc.Status in its trailer.

const DOMAIN = 'countersign'
const DETAILS = 'grpc-status-details-bin'
// All that a refusal sends must stay below the 8 KiB of headers that clients in C++, Python or Java take by default: beyond,
// they see some other error in its place. The message counts twice, percent-encoded and, with the details, in base64.
const MAX_MESSAGE = 1_000
const MAX_METADATA_VALUE = 200
const MAX_VIOLATIONS = 40
const MAX_VIOLATION_BYTES = 2_400
const MAX_MISSING_BYTES = 2_000
const MUST_ASK_MILLIS = 1_000

const codeOf: Record<Kind, status> = {
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

const kinds = new Map<number, Kind>([
  [status.INVALID_ARGUMENT, 'INVALID_ARGUMENT'],
  [status.UNAUTHENTICATED, 'UNAUTHENTICATED'],
  [status.PERMISSION_DENIED, 'PERMISSION_DENIED'],
  [status.NOT_FOUND, 'NOT_FOUND'],
  [status.ALREADY_EXISTS, 'ALREADY_EXISTS'],
  [status.FAILED_PRECONDITION, 'FAILED_PRECONDITION'],
  [status.ABORTED, 'ABORTED'],
  [status.OUT_OF_RANGE, 'OUT_OF_RANGE'],
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
  if (error instanceof DomainError) return error
  // A single statement that waited too long for a lock, outside of what repeats it.
  return isRepeatable(error) ? contention(error) : internalError()
}

export function toStatus(refusal: DomainError, requestId: string): StatusObject {
  const message = shortened(refusal.message, MAX_MESSAGE)
  const code = codeOf[refusal.kind]
  const metadata = new Metadata()
  metadata.set(DETAILS, Buffer.from(Status.encode({ code, message, details: detailsOf(refusal, requestId) }).finish()))
  metadata.set('x-request-id', requestId)
  if (refusal.retryAfterMillis !== undefined) metadata.set('grpc-retry-pushback-ms', pushback(Math.ceil(refusal.retryAfterMillis)))
  return { code, details: message, metadata }
}

/** A client library may sit out a short delay by itself (gRFC A6). Whether a longer one is worth it, the caller decides. */
const pushback = (millis: number): string => String(millis < MUST_ASK_MILLIS ? millis : -1)

function detailsOf(refusal: DomainError, requestId: string): Any[] {
  const details = [
    pack('google.rpc.ErrorInfo', ErrorInfo.encode({ reason: refusal.reason, domain: DOMAIN, metadata: shortenedValues(refusal.metadata) }).finish()),
    pack('google.rpc.RequestInfo', RequestInfo.encode({ requestId, servingData: '' }).finish()),
  ]
  if (refusal.violations.length > 0) {
    const fieldViolations = firstOf(refusal.violations)
    details.push(pack('google.rpc.BadRequest', BadRequest.encode(BadRequest.fromPartial({ fieldViolations })).finish()))
  }
  if (refusal.retryAfterMillis !== undefined) {
    const millis = Math.ceil(refusal.retryAfterMillis)
    const retryDelay = { seconds: Math.floor(millis / 1000), nanos: (millis % 1000) * 1_000_000 }
    details.push(pack('google.rpc.RetryInfo', RetryInfo.encode({ retryDelay }).finish()))
  }
  if (refusal.missingRules.length > 0) {
    // The metadata says how many there are.
    const rules = firstMissing(refusal.missingRules, MAX_MISSING_BYTES)
    details.push(pack('countersign.registry.v1.MissingRules', MissingRules.encode({ rules }).finish()))
  }
  return details
}

const pack = (type: string, value: Uint8Array): Any => ({ typeUrl: `type.googleapis.com/${type}`, value: Buffer.from(value) })

/** As many as fit; the message says what it can of the rest. */
function firstOf(violations: readonly FieldViolation[]): FieldViolation[] {
  let bytes = 0
  return violations.slice(0, MAX_VIOLATIONS).filter(({ field, description }) => {
    bytes += Buffer.byteLength(field) + Buffer.byteLength(description)
    return bytes <= MAX_VIOLATION_BYTES
  })
}

const shortenedValues = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, shortened(value, MAX_METADATA_VALUE)]))

const PRINTABLE = /^[\x20-\x7e]*$/

/** The text, cut off where it would take more than `limit` characters percent-encoded. */
function shortened(text: string, limit: number): string {
  if (text.length * 3 <= limit && PRINTABLE.test(text)) return text
  let short = ''
  let length = 0
  for (const character of text) {
    // Half of a character is what encodeURI, by which gRPC writes a message, throws on.
    const whole = /\p{Surrogate}/u.test(character) ? '\ufffd' : character
    length += encodeURI(whole).length
    if (length > limit) return `${short}…`
    short += whole
  }
  return short
}

/** How a call ended that did not end well, with its trailers where there were any. */
export type Failed = Pick<StatusObject, 'code' | 'details'> & Partial<StatusObject>

/** The DomainError that a server of ours threw, rebuilt on the calling side. */
export function fromStatus(error: Failed): DomainError {
  const kind = kinds.get(error.code) ?? 'INTERNAL'
  const details = detailsIn(error.metadata)
  if (details?.info?.domain !== DOMAIN) return withoutDetails(kind, error)
  const { info, violations, retryDelay, missingRules } = details
  return new DomainError(kind, info.reason, error.details, {
    metadata: info.metadata,
    violations: violations.map(({ field, description }) => ({ field, description })),
    missingRules,
    ...(retryDelay && { retryAfterMillis: retryDelay.seconds * 1000 + Math.ceil(retryDelay.nanos / 1_000_000) }),
    cause: error,
  })
}

/** Undefined where there are none, or what a foreign server sent as such is not what it says. */
function detailsIn(metadata: Metadata | undefined) {
  const [raw] = metadata?.get(DETAILS) ?? []
  if (!(raw instanceof Buffer)) return undefined
  try {
    const { details } = Status.decode(raw)
    return {
      info: unpack(details, 'google.rpc.ErrorInfo', ErrorInfo),
      violations: unpack(details, 'google.rpc.BadRequest', BadRequest)?.fieldViolations ?? [],
      retryDelay: unpack(details, 'google.rpc.RetryInfo', RetryInfo)?.retryDelay,
      missingRules: unpack(details, 'countersign.registry.v1.MissingRules', MissingRules)?.rules.flatMap(missingRuleFrom) ?? [],
    }
  } catch {
    return undefined
  }
}

function withoutDetails(kind: Kind, error: Failed): DomainError {
  const reason = kind === 'UNAVAILABLE' ? 'PEER_UNAVAILABLE' : 'PEER_REFUSED'
  const message = kind === 'UNAVAILABLE' ? 'A service could not be reached in time.' : error.details
  return new DomainError(kind, reason, message, { cause: error })
}

function unpack<T>(details: Any[], type: string, codec: { decode(bytes: Uint8Array): T }): T | undefined {
  const found = details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/${type}`)
  return found && codec.decode(found.value)
}
