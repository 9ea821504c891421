import { status } from '@grpc/grpc-js'
import type { BinaryWriter } from '@bufbuild/protobuf/wire'
import type { DomainError } from '#libs/domain-error.js'
import type { Call } from '#libs/rpc/unary.js'
import type { HeaderValueOption } from '#libs/wire/gen/envoy/config/core/v3/base.js'
import { CheckResponse, DeniedHttpResponse } from '#libs/wire/gen/envoy/service/auth/v3/external_auth.js'
import { StatusCode } from '#libs/wire/gen/envoy/type/v3/http_status.js'
import type { Reason } from '../domain/decide.js'
import { replacing } from './envoy-headers.js'

// What Envoy is told where a request is not let through: a denial, which the client caused, or trouble, which it did not.

/** `errorResponse` is newer than the proto that the code is generated from. */
export type EnvoyAnswer = CheckResponse & { readonly errorResponse?: DeniedHttpResponse }

/** Field 5, by length. */
const ERROR_RESPONSE_TAG = 0x2a

export const envoyAnswer = {
  encode: (message: EnvoyAnswer, writer: BinaryWriter): BinaryWriter => {
    CheckResponse.encode(message, writer)
    if (message.errorResponse) DeniedHttpResponse.encode(message.errorResponse, writer.uint32(ERROR_RESPONSE_TAG).fork()).join()
    return writer
  },
}

type Kind = { readonly code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'UNAVAILABLE' | 'INTERNAL'; readonly grpc: number; readonly http: StatusCode }

const unauthenticated: Kind = { code: 'UNAUTHENTICATED', grpc: status.UNAUTHENTICATED, http: StatusCode.Unauthorized }
const permissionDenied: Kind = { code: 'PERMISSION_DENIED', grpc: status.PERMISSION_DENIED, http: StatusCode.Forbidden }
const unavailable: Kind = { code: 'UNAVAILABLE', grpc: status.UNAVAILABLE, http: StatusCode.ServiceUnavailable }
const internal: Kind = { code: 'INTERNAL', grpc: status.INTERNAL, http: StatusCode.InternalServerError }

/** What the client is told by RFC 6750, after the realm. */
const challenged = (error = ''): HeaderValueOption => replacing('www-authenticate', `Bearer realm="countersign"${error && `, error="${error}"`}`)

type Denial = { readonly kind: Kind; readonly headers: readonly HeaderValueOption[] }

/** By reason, what is the client's to mend. Whatever else goes wrong is trouble: neither an allow nor a deny. */
const denials: ReadonlyMap<string, Denial> = new Map([
  ['ACCESS_TOKEN_MISSING', { kind: unauthenticated, headers: [challenged()] }],
  ['AUTHORIZATION_MALFORMED', { kind: unauthenticated, headers: [challenged('invalid_request')] }],
  ['PRINCIPAL_REJECTED', { kind: unauthenticated, headers: [challenged()] }],
  ['ACCESS_TOKEN_REJECTED', { kind: unauthenticated, headers: [challenged('invalid_token')] }],
  ['PATH_NOT_CANONICAL', { kind: permissionDenied, headers: [] }],
  ['REQUEST_NOT_RECOGNIZED', { kind: permissionDenied, headers: [] }],
])

/** Undefined for what is no message at all: that alone is left a status of gRPC. */
export function toldToEnvoy(refusal: DomainError, call: Call): EnvoyAnswer | undefined {
  const denial = denials.get(refusal.reason)
  if (denial) return denied(denial, { reason: refusal.reason, message: refusal.message })
  return refusal.kind === 'INVALID_ARGUMENT' ? undefined : troubled(refusal, call.trace.requestId)
}

/** The token is good, and its roles are not enough, or it may not be used from there. `facts` are for the filters behind, and for the access log. */
export const notAllowed = (why: Denying, decisionId: string, facts: Facts): EnvoyAnswer => {
  const { headers, ...said } = decidedDenials[why]
  return { ...denied({ kind: permissionDenied, headers }, { ...said, decisionId }), dynamicMetadata: { ...facts } }
}

type Denying = Exclude<Reason, 'allowed-by-rule'>

const byRoles = { headers: [challenged('insufficient_scope')], message: 'The roles of the identity do not allow this request.' }

const decidedDenials = {
  'denied-by-rule': { ...byRoles, reason: 'DENIED_BY_RULE' },
  'no-rule': { ...byRoles, reason: 'NO_RULE' },
  'source-not-trusted': { headers: [], reason: 'SOURCE_NOT_TRUSTED', message: 'The access token is good, and may not be used from this address.' },
} satisfies Record<Denying, unknown>

/** What is said of a decision in the dynamic metadata. */
export type Facts = Readonly<Record<string, string | number>>

type Said = { readonly reason: string; readonly message: string; readonly decisionId?: string; readonly requestId?: string }

const denied = ({ kind, headers }: Denial, said: Said): EnvoyAnswer => ({
  status: { code: kind.grpc, message: said.message, details: [] },
  httpResponse: { $case: 'deniedResponse', value: httpResponse(kind, headers, said) },
  dynamicMetadata: undefined,
})

const WAIT_AT_LEAST_SECONDS = 1

function troubled({ kind, reason, retryAfterMillis = 0 }: DomainError, requestId: string): EnvoyAnswer {
  const isPassing = kind === 'UNAVAILABLE' || kind === 'RESOURCE_EXHAUSTED' || kind === 'ABORTED'
  const seconds = Math.max(WAIT_AT_LEAST_SECONDS, Math.ceil(retryAfterMillis / 1000))
  const told = isPassing ? unavailable : internal
  const message = isPassing ? 'Whether the request is allowed could not be found out. Keep the token and try again.' : 'Whether the request is allowed could not be found out. Name the request id when you report it.'
  return {
    status: { code: told.grpc, message, details: [] },
    httpResponse: undefined,
    dynamicMetadata: undefined,
    errorResponse: httpResponse(told, isPassing ? [replacing('retry-after', String(seconds))] : [], { reason, message, requestId }),
  }
}

const httpResponse = ({ code, http }: Kind, headers: readonly HeaderValueOption[], said: Said): DeniedHttpResponse => ({
  status: { code: http },
  headers: [...headers, ...ofEveryBody],
  body: JSON.stringify({ error: { code, ...said } }),
})

const ofEveryBody = [replacing('content-type', 'application/json'), replacing('cache-control', 'no-store')]
